import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const videochat = defineDataset({
  name: 'videochat',
  about: 'Video chat connections (LiveKit) and their session metadata.',
  keyScopes: ['read:videochat'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    timestamp: TIMESTAMP,
    onset: ONSET,
    eventType: { kind: 'text', about: 'The kind of connection event.', privacy: 'none', isCode: true },
  },
});
export const videochatTable = videochat.drizzle;
