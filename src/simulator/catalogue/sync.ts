import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

/** Measurements of the video players. */
export const sync: Entry = {
  name: 'sync',
  id: 'metricId',
  isNumbered: true,
  time: 'timestamp',
  keyScopes: ['read:sync'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, zero, people, options, random, emit }) {
    for (const { id } of people) {
      for (let at = 0; at < options.videoSeconds * 1000; at += 2000) {
        emit(zero + at, {
          metricId: `syn_${random.id(14)}`,
          experimentId,
          roomId,
          participantId: id,
          timestamp: iso(zero + at),
          onset: at,
          timeDrift: random.normal(0, 25),
          playbackRate: 1,
          syncQuality: Math.min(1, Math.abs(random.normal(0.95, 0.03))),
          latency: random.int(10, 180),
          bufferHealth: random.next() * 30,
        });
      }
    }
  },
};
