import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

export const videochat: Entry = {
  name: 'videochat',
  time: 'timestamp',
  keyScopes: ['read:videochat'],
  scopes: ['experiment', 'room', 'participant'],
  ofRoom({ experimentId, roomId, deployment, start, zero, people, emit }) {
    const at = start + 5000;
    emit(at, {
      experimentId,
      roomId,
      participantId: people[0]?.id,
      timestamp: iso(at),
      onset: at - zero,
      eventType: 'participant_connected',
      session: { server: 'wss://rtc.example.org', codec: null, room: `${deployment.id}:${roomId}` },
    });
  },
};
