import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

/** A rating that drifts with the film. */
export const ratingsContinuous: Entry = {
  name: 'ratings/continuous',
  id: 'ratingId',
  isNumbered: true,
  time: 'timestamp',
  keyScopes: ['read:ratings'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, zero, people, options, random, emit }) {
    for (const { id } of people) {
      let mood = 50;
      for (let at = random.int(0, 500); at < options.videoSeconds * 1000; at += random.int(100, 500)) {
        mood = Math.min(100, Math.max(0, mood + random.normal(2 * Math.sin(at / 20_000), 3)));
        const value = Math.round(mood * 10) / 10;
        emit(zero + at, {
          ratingId: `rat_${random.id(16)}`,
          experimentId,
          roomId,
          participantId: id,
          componentId: 'cmp_rating',
          timestamp: iso(zero + at),
          onset: at,
          value,
          normalizedValue: value / 100,
          rawValue: mood,
          scaleMin: 0,
          scaleMax: 100,
        });
      }
    }
  },
};

export const ratingsSparse: Entry = {
  name: 'ratings/sparse',
  id: 'ratingId',
  isNumbered: true,
  time: 'timestamp',
  keyScopes: ['read:ratings'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, zero, people, options, random, emit }) {
    for (const { id } of people) {
      for (let question = 0; question < 4; question++) {
        const at = options.videoSeconds * 1000 + 2000 * (question + 1);
        const value = random.int(1, 7);
        emit(zero + at, {
          ratingId: `spr_${random.id(14)}`,
          experimentId,
          roomId,
          participantId: id,
          timestamp: iso(zero + at),
          onset: at,
          rawOnset: at + 12,
          clockOffsetApplied: -12,
          value,
          rawValue: value,
          scale: { min: 1, max: 7 },
          labels: { min: 'gar nicht', max: 'sehr' },
          type: 'likert',
          stateId: 'state_questions',
          componentId: 'cmp_sparse',
          stimulusId: `stim_${question}`,
          stimulusTime: null,
          responseTime: random.int(300, 4000),
          confidence: random.chance(0.3) ? null : random.next(),
          metadata: {
            question: `How much? (${question})`,
            dimension: 'valence',
            componentType: 'sparserating',
            sampleIndex: question,
          },
          ratingEndOnset: at + 900,
        });
      }
    }
  },
};
