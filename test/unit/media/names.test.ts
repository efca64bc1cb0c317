import { describe, expect, it } from 'vitest';
import { sdkName, stableName, type Named } from '../../../src/media/names.ts';

const RECORDING: Named = {
  experimentId: 'exp_1',
  roomId: 'room_1',
  participantId: 'p_1',
  participantName: 'Ada Lovelace',
  recordingId: 'rec_1',
  type: 'video',
  format: 'mp4',
};

describe('the name of a recording’s file', () => {
  it.each<[string, Partial<Named>, string]>([
    ['says the experiment, the room, the type and the recording', {}, 'exp_1/room_1/video_rec_1.mp4'],
    ['says that it has no room', { roomId: null }, 'exp_1/no-room/video_rec_1.mp4'],
    ['says that it is a recording where its type is unknown', { type: null }, 'exp_1/room_1/recording_rec_1.mp4'],
    ['takes the format in lower case as its ending', { format: 'WebM' }, 'exp_1/room_1/video_rec_1.webm'],
    ['ends in webm where sound has no format', { type: 'audio', format: null }, 'exp_1/room_1/audio_rec_1.webm'],
    ['ends in mp4 where a film has no format', { format: '' }, 'exp_1/room_1/video_rec_1.mp4'],
    ['takes no path as its ending', { format: 'mp4/../../x' }, 'exp_1/room_1/video_rec_1.mp4'],
  ])('%s', (_what, change, name) => {
    expect(stableName({ ...RECORDING, ...change })).toBe(name);
  });

  it.each([
    '../up',
    '..',
    '.',
    '',
    '/etc/passwd',
    'a\\b',
    'a\0b',
    '.hidden',
    '-flag',
    'con',
    'x'.repeat(300),
    'ä',
    'a b',
    'a:b',
  ])('stays in its folder and is one that every file system takes, for the id %j', (id) => {
    const parts = stableName({ ...RECORDING, experimentId: id, roomId: id, recordingId: id, type: id }).split('/');
    expect(parts).toHaveLength(3);
    for (const part of parts) {
      expect(part).toMatch(/^[\w-]+(?:\.mp4)?$/);
      expect(part).not.toBe(id);
      expect(part.length).toBeLessThan(200);
    }
  });

  it.each([
    ['differ in upper and lower case', 'Rec', 'rec'],
    ['differ in a character that no file name takes', 'a/b', 'a:b'],
    ['differ after the longest name', `${'x'.repeat(80)}1`, `${'x'.repeat(80)}2`],
    ['look like the name that another is given', 'a b', 'a_b'],
  ])('differs for two recordings whose ids %s, where upper and lower case are one', (_how, one, other) => {
    const name = (recordingId: string) => stableName({ ...RECORDING, recordingId }).toLowerCase();
    expect(name(one)).not.toBe(name(other));
  });
});

describe('the name that the Python SDK gives a recording’s file', () => {
  it.each<[string, Partial<Named>, string | undefined]>([
    ['begins with the participant’s name', {}, 'exp_1/Ada_Lovelace_video_rec_1.mp4'],
    ['begins with the id of a participant without a name', { participantName: '' }, 'exp_1/p_1_video_rec_1.mp4'],
    [
      'begins with “unknown” for no participant',
      { participantName: null, participantId: null },
      'exp_1/unknown_video_rec_1.mp4',
    ],
    ['keeps the letters of every language', { participantName: 'Zoë Ω' }, 'exp_1/Zoë_Ω_video_rec_1.mp4'],
    ['loses what leads to another folder', { participantName: '../../x' }, 'exp_1/______x_video_rec_1.mp4'],
    ['says recording for an unknown type', { type: null }, 'exp_1/Ada_Lovelace_recording_rec_1.mp4'],
    ['ends in webm for sound without a format', { type: 'audio', format: null }, 'exp_1/Ada_Lovelace_audio_rec_1.webm'],
    ['is not used for an id that leads to another folder', { recordingId: '../x' }, undefined],
    ['is not used for a type that leads to another folder', { type: 'a/b' }, undefined],
    ['is not used for a format that leads to another folder', { format: 'mp4/x' }, undefined],
    ['is not used where it is longer than file systems take', { participantName: 'Ω'.repeat(120) }, undefined],
  ])('%s', (_what, change, name) => {
    expect(sdkName({ ...RECORDING, ...change })).toBe(name);
  });
});
