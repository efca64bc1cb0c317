import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

/** Gaze samples, in every third room. */
export const eyetracking: Entry = {
  name: 'eyetracking',
  time: 'timestamp',
  keyScopes: ['read:eyetracking'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, index, zero, people, options, random, emit }) {
    if (index % 3 !== 2) return;
    for (const { id } of people) {
      for (let at = 0; at < options.videoSeconds * 1000; at += 500) {
        emit(zero + at, {
          experimentId,
          roomId,
          participantId: id,
          timestamp: iso(zero + at),
          onset: at,
          gazeX: random.next(),
          gazeY: random.next(),
          pupilDiameter: 2 + 4 * random.next(),
          confidence: random.chance(0.9) ? 0.99 : null,
        });
      }
    }
  },
};
