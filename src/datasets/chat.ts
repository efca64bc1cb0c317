import { defineDataset } from './define.ts';

export const chat = defineDataset({
  name: 'chat',
  about: 'Text chat messages.',
  keyScope: 'read:chat',
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['messageId'],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    messageId: { kind: 'text', about: 'The id of the message.' },
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    senderId: { kind: 'text', about: 'The participant who wrote it.' },
    senderName: { kind: 'text', about: 'The display name of the sender.' },
    content: { kind: 'text', about: 'The text of the message.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
    recipientIds: { kind: 'json', about: 'The participants it was sent to.' },
    messageType: { kind: 'text', about: 'The kind of message.' },
  },
});
export const chatTable = chat.drizzle;
