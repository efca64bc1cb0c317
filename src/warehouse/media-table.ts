import { NEVER, type Explained } from '../derive/define.ts';

const TIME = 'ISO 8601, UTC';

/** The table of the files, for readers. */
export const MEDIA_FILES: Explained = {
  name: 'media_files',
  about: 'The file of each recording: where it is and what is in it, or why it is not held.',
  row: 'the file of a recording',
  columns: {
    experiment_id: { type: 'TEXT', about: 'The experiment.', privacy: 'none', missing: NEVER },
    key: { type: 'TEXT', about: 'The key of the recording: `recordings.key`.', privacy: 'indirect', missing: NEVER },
    recording_id: { type: 'TEXT', about: 'The id of the recording.', privacy: 'indirect', missing: 'It was erased.' },
    room_id: { type: 'TEXT', about: 'Its room.', privacy: 'indirect', missing: 'It has none, or was erased.' },
    participant_id: {
      type: 'TEXT',
      about: 'Whom it shows.',
      privacy: 'indirect',
      missing: 'It does not show one person only.',
    },
    type: {
      type: 'TEXT',
      about: 'What it is: audio or video.',
      privacy: 'none',
      missing: 'HyperStudy does not say.',
      isCode: true,
    },
    status: {
      type: 'TEXT',
      about: 'Whether the file is here.',
      privacy: 'none',
      missing: NEVER,
      values: {
        held: 'the whole file is at `path`',
        missing: 'it could not be downloaded yet',
        erased: 'it shows or names an erased person, and is never downloaded again',
      },
      isCode: true,
    },
    path: {
      type: 'TEXT',
      about: 'Where it is, from the folder of the warehouse, or where it will be.',
      privacy: 'direct',
      missing: 'It was erased.',
    },
    bytes: { type: 'INTEGER', about: 'Its size.', privacy: 'none', missing: 'It was never held.', unit: 'bytes' },
    sha256: {
      type: 'TEXT',
      about: 'SHA-256 of the file as it was last read whole.',
      privacy: 'none',
      missing: 'It was never read whole.',
      unit: 'hexadecimal',
    },
    said_bytes: {
      type: 'INTEGER',
      about: 'What `recordings.file_size` said when it was downloaded.',
      privacy: 'none',
      missing: 'It said nothing.',
      unit: 'bytes',
    },
    video_offset: {
      type: 'REAL',
      about: 'Offset against the experiment: `recordings.video_offset`.',
      privacy: 'none',
      missing: 'HyperStudy does not say.',
      unit: 'as sent',
    },
    room_zero: {
      type: 'TEXT',
      about: 'Onset 0 of the room: `_experiment_starts.started_at`, else `rooms.started_at`.',
      privacy: 'indirect',
      missing: 'HyperStudy does not say.',
      unit: TIME,
    },
    fetched_at: { type: 'TEXT', about: 'When it was held first.', privacy: 'none', missing: 'Never.', unit: TIME },
    tries: { type: 'INTEGER', about: 'Tries that failed since.', privacy: 'none', missing: NEVER, unit: 'tries' },
    retry_at: {
      type: 'TEXT',
      about: 'When it is tried again.',
      privacy: 'none',
      missing: 'At the next opportunity, or it is held.',
      unit: TIME,
    },
    problem: {
      type: 'TEXT',
      about: 'Why it is not held; `other-size` of a held file: HyperStudy says another size, in two readings.',
      privacy: 'none',
      missing: 'There is none.',
      isCode: true,
    },
    etag: {
      type: 'TEXT',
      about: 'What the part that was downloaded is a part of.',
      privacy: 'none',
      missing: 'There is no part, or the server does not say.',
    },
    total_bytes: {
      type: 'INTEGER',
      about: 'The whole size of what was downloaded in part.',
      privacy: 'none',
      missing: 'There is no part, or the server does not say.',
      unit: 'bytes',
    },
  },
};
