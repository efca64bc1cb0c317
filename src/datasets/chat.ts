import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, ROOM, TIMESTAMP } from './fields.ts';

export const chat = defineDataset({
  name: 'chat',
  about: 'Text chat messages.',
  keyScopes: ['read:chat'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['messageId'],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    messageId: { kind: 'text', about: 'The id of the message.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    senderId: {
      kind: 'text',
      about: 'The participant who wrote it.',
      privacy: 'direct',
      isPerson: true,
      alsoAs: 'participant_id',
    },
    senderName: { kind: 'text', about: 'The display name of the sender.', privacy: 'direct', sameAnywhere: true },
    content: { kind: 'text', about: 'The text of the message.', privacy: 'free text' },
    timestamp: TIMESTAMP,
    onset: ONSET,
    recipientIds: {
      kind: 'json',
      about: 'The participants it was sent to.',
      privacy: 'direct',
      isPerson: true,
      missing: 'The API named none.',
    },
    messageType: { kind: 'text', about: 'The kind of message.', privacy: 'none', isCode: true },
  },
});
export const chatTable = chat.drizzle;
