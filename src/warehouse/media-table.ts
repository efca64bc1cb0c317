import { code, integer, real, text, time, type Explained } from '../derive/columns.ts';

/** The table of the files, for readers. */
export const MEDIA_FILES: Explained = {
  name: 'media_files',
  about: 'The file of each recording: where it is and what is in it, or why it is not held.',
  row: 'the file of a recording',
  columns: {
    experiment_id: text('The experiment.', { privacy: 'none' }),
    key: text('The key of the recording: `recordings.key`.', { privacy: 'indirect' }),
    recording_id: text('The id of the recording.', { privacy: 'indirect', missing: 'It was erased.' }),
    room_id: text('Its room.', { privacy: 'indirect', missing: 'It has none, or was erased.' }),
    participant_id: text('Whom it shows.', { privacy: 'indirect', missing: 'It does not show one person only.' }),
    type: code('What it is: audio or video.', { missing: 'HyperStudy does not say.' }),
    status: code('Whether the file is here.', {
      values: {
        held: 'the whole file is at `path`',
        missing: 'it could not be downloaded yet',
        erased: 'it shows or names an erased person, and is never downloaded again',
      },
    }),
    path: text('Where it is, from the folder of the warehouse, or where it will be.', {
      privacy: 'direct',
      missing: 'It was erased.',
    }),
    bytes: integer('Its size.', { privacy: 'none', unit: 'bytes', missing: 'It was never held.' }),
    sha256: text('SHA-256 of the file as it was last read whole.', {
      privacy: 'none',
      unit: 'hexadecimal',
      missing: 'It was never read whole.',
    }),
    said_bytes: integer('What `recordings.file_size` said when it was downloaded.', {
      privacy: 'none',
      unit: 'bytes',
      missing: 'It said nothing.',
    }),
    video_offset: real('Offset against the experiment: `recordings.video_offset`.', {
      privacy: 'none',
      unit: 'as sent',
      missing: 'HyperStudy does not say.',
    }),
    room_zero: time('Onset 0 of the room: `_experiment_starts.started_at`, else `rooms.started_at`.', {
      privacy: 'indirect',
      missing: 'HyperStudy does not say.',
    }),
    fetched_at: time('When it was held first.', { privacy: 'none', missing: 'Never.' }),
    tries: integer('Tries that failed since.', { privacy: 'none', unit: 'tries' }),
    retry_at: time('When it is tried again.', { privacy: 'none', missing: 'At the next opportunity, or it is held.' }),
    problem: code('Why it is not held; `other-size` of a held file: HyperStudy says another size, in two readings.', {
      missing: 'There is none.',
    }),
    etag: text('What the part that was downloaded is a part of.', {
      privacy: 'none',
      missing: 'There is no part, or the server does not say.',
    }),
    total_bytes: integer('The whole size of what was downloaded in part.', {
      privacy: 'none',
      unit: 'bytes',
      missing: 'There is no part, or the server does not say.',
    }),
  },
};
