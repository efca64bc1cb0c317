import { isObject } from '../../shared/json.ts';
import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

/** As published: a recording names its room and experiment only in `metadata` and `downloadPath`. */
export const recordings: Entry = {
  name: 'recordings',
  id: 'recordingId',
  time: 'startTime',
  keyScopes: ['read:recordings'],
  scopes: ['experiment', 'room', 'participant'],
  roomOf: ({ metadata }) => (isObject(metadata) ? metadata['roomName'] : undefined),
  ofRoom({ experimentId, roomId, zero, end, people, random, add }) {
    for (const { id, name } of people.slice(0, 2)) {
      const egressId = `EG_${random.id(12)}`;
      const record = {
        recordingId: egressId,
        egressId,
        participantId: id,
        participantName: name,
        startTime: iso(zero),
        endTime: iso(end),
        duration: end - zero,
        videoOffset: random.int(-300, 300),
        downloadUrl: `https://media.example.org/${roomId}/${egressId}.mp4`,
        downloadPath: `data/recordings/download/${roomId}/${egressId}`,
        // Small, as its server really sends it.
        fileSize: random.int(2e4, 2e5),
        format: 'mp4',
        resolution: '1280x720',
        status: 'complete',
        metadata: { type: 'video', recordingType: 'individual', roomName: roomId, experimentId },
      };
      add({ from: end + 20_000, record });
    }
  },
};
