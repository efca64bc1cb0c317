import { iso, type Versions } from '../life.ts';
import type { Entry, RoomSetting } from './entry.ts';

export const rooms: Entry = {
  name: 'rooms',
  id: 'id',
  time: 'createdAt',
  keyScopes: ['read:events'],
  scopes: ['experiment'],
  roomOf: ({ id }) => id,
  ofRoom: (room) => room.add(...roomVersions(room)),
};

/** A room as it opens, starts and ends. */
export function roomVersions({ experimentId, roomId, deployment, start, zero, end, people }: RoomSetting): Versions {
  const createdAt = iso(start);
  const base = { id: roomId, experimentId, deploymentId: deployment.id, deploymentName: deployment.name, createdAt };
  const [startedAt, endedAt, participantCount] = [iso(zero), iso(end), people.length];
  return [
    { from: start, record: { ...base, status: 'waiting', participantCount: 0 } },
    { from: zero, record: { ...base, status: 'active', participantCount, startedAt } },
    { from: end, record: { ...base, status: 'completed', participantCount, startedAt, endedAt } },
  ];
}
