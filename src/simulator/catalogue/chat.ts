import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

const LINES = [
  'did you see that? 😮',
  'haha',
  'I think the second one was better',
  'ja, genau!',
  'c’est triste…',
  '我也这么想',
  'same here',
  '',
] as const;

export const chat: Entry = {
  name: 'chat',
  id: 'messageId',
  isNumbered: true,
  time: 'timestamp',
  keyScopes: ['read:chat'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, zero, people, options, random, emit }) {
    for (let at = random.int(2000, 20_000); at < options.videoSeconds * 1000; at += random.int(4000, 30_000)) {
      const sender = people[random.int(0, people.length - 1)];
      emit(zero + at, {
        messageId: `msg_${random.id(14)}`,
        experimentId,
        roomId,
        senderId: sender?.id,
        senderName: sender?.name,
        content: random.pick(LINES),
        timestamp: iso(zero + at),
        onset: at,
        recipientIds: people.filter((person) => person !== sender).map(({ id }) => id),
        messageType: 'text',
      });
    }
  },
};
