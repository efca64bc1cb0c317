import { defineDataset } from './define.ts';

export const videochat = defineDataset({
  name: 'videochat',
  about: 'Video chat connections (LiveKit) and their session metadata.',
  keyScope: 'read:videochat',
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
    eventType: { kind: 'text', about: 'The kind of connection event.' },
  },
});
export const videochatTable = videochat.drizzle;
