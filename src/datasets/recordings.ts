import { defineDataset } from './define.ts';
import { AS_SENT, EXPERIMENT, PARTICIPANT, ROOM } from './fields.ts';

/** Published recordings name their room only in these places. */
const ROOM_FALLBACKS = [
  { path: ['metadata', 'roomName'] },
  { path: ['downloadPath'], pattern: /(?:^|\/)recordings\/download\/([^/?#]+)\/[^/?#]+$/ },
];

export const recordings = defineDataset({
  name: 'recordings',
  about:
    'Video and audio recordings: when, whose, where to download them; `media_files` has the files, where these are copied.',
  keyScopes: ['read:recordings'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['recordingId', 'egressId'],
  timeField: 'startTime',
  read: 'snapshot',
  fields: {
    recordingId: { kind: 'text', about: 'The id of the recording.', privacy: 'indirect' },
    egressId: { kind: 'text', about: 'The id of the recording job that made it.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: { ...ROOM, fallbacks: ROOM_FALLBACKS },
    participantId: PARTICIPANT,
    participantName: {
      kind: 'text',
      about: 'The display name of the participant.',
      privacy: 'direct',
      sameAnywhere: true,
    },
    startTime: { kind: 'time', about: 'When the recording began.', privacy: 'indirect' },
    endTime: {
      kind: 'time',
      about: 'When the recording ended.',
      privacy: 'indirect',
      missing: 'It has not ended, or the API does not say when.',
    },
    duration: { kind: 'real', about: 'Length of the recording.', privacy: 'none', unit: 'ms' },
    videoOffset: {
      kind: 'real',
      about: 'Offset of the recording against the experiment.',
      privacy: 'none',
      unit: AS_SENT,
    },
    url: {
      kind: 'text',
      about: 'Address of the file, without its temporary signature.',
      privacy: 'direct',
      volatile: true,
    },
    downloadUrl: {
      kind: 'text',
      about: 'Download address, without its temporary signature.',
      privacy: 'direct',
      volatile: true,
    },
    downloadPath: { kind: 'text', about: 'API path that gives a fresh download address.', privacy: 'direct' },
    fileSize: { kind: 'integer', about: 'Size of the file.', privacy: 'none', unit: 'bytes' },
    format: { kind: 'text', about: 'File format.', privacy: 'none', isCode: true },
    resolution: { kind: 'text', about: 'Picture size.', privacy: 'none', isCode: true },
    status: { kind: 'text', about: 'State of the recording.', privacy: 'none', isCode: true },
    metadata: { kind: 'json', about: 'Type (audio or video), recording type, room name.', privacy: 'direct' },
  },
});
export const recordingsTable = recordings.drizzle;
