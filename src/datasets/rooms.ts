import { defineDataset } from './define.ts';
import { EXPERIMENT } from './fields.ts';

export const rooms = defineDataset({
  name: 'rooms',
  about: 'Rooms (sessions): a group of participants going through the experiment together.',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'deployment'],
  identity: ['id'],
  idScope: 'experiment',
  timeField: 'createdAt',
  read: 'snapshot',
  countedBy: 'roomCount',
  listsParts: 'rooms',
  cap: 5000,
  fields: {
    id: { kind: 'text', about: 'The id of the room.', privacy: 'indirect', alsoAs: 'room_id' },
    experimentId: EXPERIMENT,
    status: { kind: 'text', about: 'State of the room.', privacy: 'none', isCode: true },
    participantCount: { kind: 'integer', about: 'How many participants it has.', privacy: 'none', unit: 'count' },
    deploymentId: { kind: 'text', about: 'The deployment that opened it.', privacy: 'none' },
    deploymentName: { kind: 'text', about: 'The name of that deployment.', privacy: 'none', isCode: true },
    createdAt: { kind: 'time', about: 'When it was opened.', privacy: 'indirect' },
    startedAt: {
      kind: 'time',
      about: 'When the experiment began in it.',
      privacy: 'indirect',
      missing: 'It has not begun, or the API does not say when.',
    },
    endedAt: {
      kind: 'time',
      about: 'When it ended.',
      privacy: 'indirect',
      missing: 'It has not ended, or the API does not say when.',
    },
  },
});
export const roomsTable = rooms.drizzle;
