import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

export const variables: Entry = {
  name: 'variables',
  time: 'timestamp',
  keyScopes: ['read:events'],
  scopes: ['room'],
  isUnpaged: true,
  ofRoom({ experimentId, roomId, zero, people, random, emit }) {
    const write = (onset: number, variable: string, value: unknown, source: string) =>
      emit(zero + onset, {
        experimentId,
        roomId,
        participantId: source === 'seed' ? null : people[0]?.id,
        variable,
        value,
        source,
        persisted: true,
        timestamp: iso(zero + onset),
        onset,
      });
    write(0, 'condition', random.pick(['together', 'alone']), 'seed');
    write(0, 'points', 0, 'seed');
    write(30_000, 'points', random.int(1, 10), 'component');
    write(45_000, 'choice', { kind: 'offer', split: [7, 3] }, 'component');
  },
};
