import { defineDataset } from './define.ts';

export const variables = defineDataset({
  name: 'variables',
  about: 'Every write to a shared variable of a room.',
  keyScope: 'read:events',
  scopes: ['room'],
  identity: [],
  timeField: 'timestamp',
  read: 'snapshot',
  unpaged: true,
  fields: {
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    variable: { kind: 'text', about: 'The name of the variable.' },
    value: { kind: 'any', about: 'The value written, a string or a number; other values are in extra.' },
    source: { kind: 'text', about: 'Who wrote it.' },
    persisted: { kind: 'boolean', about: 'Whether the write was persisted.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
  },
});
export const variablesTable = variables.drizzle;
