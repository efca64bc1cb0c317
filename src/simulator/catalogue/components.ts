import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

/** Questions after the video that are answered on a scale. */
export const QUESTIONS = ['liked', 'felt close', 'wäre gern geblieben'] as const;

export const components: Entry = {
  name: 'components',
  time: 'timestamp',
  keyScopes: ['read:components'],
  scopes: ['experiment', 'room', 'participant'],
  filters: ['componentType', 'completed', 'stateId'],
  ofRoom({ experimentId, roomId, zero, people, options, random, emit }) {
    for (const { id } of people) {
      for (const [i, question] of QUESTIONS.entries()) {
        const onset = options.videoSeconds * 1000 + 5000 * (i + 1);
        emit(zero + onset, {
          experimentId,
          roomId,
          participantId: id,
          componentId: `cmp_likert_${i}`,
          componentType: 'likertscale',
          stateId: 'state_questions',
          timestamp: iso(zero + onset),
          onset,
          completed: random.chance(0.95),
          config: { scalePoints: 7, question },
          variableSnapshot: { condition: 'together', points: i },
        });
      }
    }
  },
};
