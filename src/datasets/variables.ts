import { defineDataset } from './define.ts';
import { AS_SENT, EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const variables = defineDataset({
  name: 'variables',
  about: 'Every write to a shared variable of a room.',
  keyScopes: ['read:events'],
  scopes: ['room'],
  identity: [],
  naming: ['roomId', 'participantId', 'variable', 'timestamp'],
  timeField: 'timestamp',
  read: 'snapshot',
  unpaged: true,
  metadata: ['timeline', 'variableNames', 'matrixColumns', 'droppedWrites', 'mode'],
  fields: {
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    variable: { kind: 'text', about: 'The name of the variable.', privacy: 'none', isCode: true },
    value: { kind: 'any', about: 'The value written.', privacy: 'free text', unit: AS_SENT },
    source: { kind: 'text', about: 'Who wrote it.', privacy: 'direct', isPerson: true, isAuthor: true },
    persisted: { kind: 'boolean', about: 'Whether the write was persisted.', privacy: 'none' },
    timestamp: TIMESTAMP,
    onset: ONSET,
  },
});
export const variablesTable = variables.drizzle;
