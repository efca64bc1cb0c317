import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

const CODES = ['SUCCESS', 'SUCCESS', 'SUCCESS', 'TIMEOUT', 'NOCONSENT', 'ABANDONED'] as const;

export const participants: Entry = {
  name: 'participants',
  id: 'id',
  time: 'joinedAt',
  keyScopes: ['read:participants', 'read:events'],
  scopes: ['experiment', 'room'],
  filters: ['completionCode'],
  ofRoom({ roomId, start, end, people, random, add }) {
    for (const { id, role, isAgent } of people) {
      const joined = start + random.int(1000, 60_000);
      const email = !isAgent && random.chance(0.5) ? `${id}@example.org` : null;
      const diagnostics = isAgent ? null : { browser: 'Firefox', roundTripMs: random.int(10, 200) };
      const base = { id, roomId, role, email, isAgent, diagnostics, joinedAt: iso(joined) };
      const isOver = { status: 'completed', completionCode: random.pick(CODES), completedAt: iso(end) };
      add(
        { from: joined, record: { ...base, status: 'active', completionCode: 'IN_PROGRESS', completedAt: null } },
        { from: end, record: { ...base, ...isOver } },
      );
    }
  },
};
