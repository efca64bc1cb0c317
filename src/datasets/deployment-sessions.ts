import { defineDataset } from './define.ts';
import { EXPERIMENT } from './fields.ts';

export const deploymentSessions = defineDataset({
  name: 'deployment-sessions',
  about: 'Which rooms belong to which deployment.',
  keyScopes: ['read:experiments'],
  scopes: ['deployment'],
  path: '/deployments/{id}/sessions',
  identity: ['id', 'roomId', 'sessionId'],
  idScope: 'experiment',
  timeField: 'createdAt',
  read: 'snapshot',
  unpaged: true,
  fields: {
    id: {
      kind: 'text',
      about: 'The id of the room.',
      privacy: 'indirect',
      aliases: ['roomId', 'sessionId'],
      alsoAs: 'room_id',
    },
    deploymentId: { kind: 'text', about: 'The deployment that opened it.', privacy: 'none' },
    experimentId: EXPERIMENT,
    status: { kind: 'text', about: 'State of the room.', privacy: 'none', isCode: true },
    participantCount: { kind: 'integer', about: 'How many participants it has.', privacy: 'none', unit: 'count' },
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
export const deploymentSessionsTable = deploymentSessions.drizzle;
