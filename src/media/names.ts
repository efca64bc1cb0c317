import { createHash } from 'node:crypto';

/** What a file's name is made from. */
export interface Named {
  readonly experimentId: string;
  readonly roomId: string | null;
  readonly participantId: string | null;
  readonly participantName: string | null;
  readonly recordingId: string;
  readonly type: string | null;
  readonly format: string | null;
}

/** Names that mean a device on Windows. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;
const LONGEST = 60;

/**
 * A part of a path that every file system takes and keeps apart from others: lower case, digits, `_` and `-` stay; for
 * anything else, a digest of the id distinguishes it from similar ones, also where upper and lower case are one.
 */
function safePart(id: string): string {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(id) && id.length <= LONGEST && !RESERVED.test(id)) return id;
  const shown = id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, LONGEST);
  return `${shown}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
}

/** Where a recording is stored, below the media folder: `experiment/room/video_recording.mp4`. */
export function stableName({ experimentId, roomId, recordingId, type, format }: Named): string {
  const name = `${safePart(type ?? 'recording')}_${safePart(recordingId)}.${ending(type, format)}`;
  return [safePart(experimentId), roomId === null ? 'no-room' : safePart(roomId), name].join('/');
}

/**
 * The name that `download_recordings` of HyperStudy's Python SDK 0.4.1 gives the file, in the experiment's folder:
 * `participant_type_recording.format`. Undefined where that is not safe on every file system.
 */
export function sdkName(named: Named): string | undefined {
  const { experimentId, participantId, participantName, recordingId, type, format } = named;
  const who = (participantName ?? '') === '' ? (participantId ?? '') : (participantName ?? '');
  const person = (who === '' ? 'unknown' : who).replace(/[^\p{L}\p{N}_-]/gu, '_');
  const kind = (type ?? '') === '' ? 'recording' : (type ?? '');
  const end = (format ?? '') === '' ? (kind === 'audio' ? 'webm' : 'mp4') : (format ?? '');
  const name = `${person}_${kind}_${recordingId}.${end}`;
  const isSafe = /^[\w-]+$/.test(recordingId) && /^[\w-]+$/.test(kind) && /^\w{1,10}$/.test(end);
  return isSafe && Buffer.byteLength(name) <= 200 ? `${safePart(experimentId)}/${name}` : undefined;
}

function ending(type: string | null, format: string | null): string {
  const text = (format ?? '').toLowerCase();
  return /^[a-z0-9]{1,10}$/.test(text) ? text : type === 'audio' ? 'webm' : 'mp4';
}
