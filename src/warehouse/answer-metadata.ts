import { z } from 'zod';
import { scopeText, type Stream } from '../datasets/stream.ts';
import { canonicalJson, parseJson, textOfJson, type Json } from '../shared/json.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseEpoch, parseTime } from '../shared/time.ts';
import { code, json, text, time, type Columns, type Explained } from '../derive/columns.ts';
import type { Db } from './open.ts';

/** Stores what a stream's answers say besides their records: the last value of each member, and since when it holds. */
export function keepMetadata(db: Db, stream: Stream, metadata: Readonly<Record<string, Json>>, at: string): void {
  const { experimentId, dataset } = stream;
  const place = [experimentId, dataset.name, scopeText(stream)] as const;
  for (const [member, value] of Object.entries(metadata)) {
    const sql = 'SELECT value FROM _answer_metadata WHERE experiment_id = ? AND data = ? AND scope = ? AND member = ?';
    const held = queryValues(db, sql, z.string()).get(...place, member);
    if (held !== undefined && canonicalJson(parseJson(held)) === canonicalJson(value)) continue;
    command(
      db,
      `INSERT INTO _answer_metadata (experiment_id, data, scope, member, value, since) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, since = excluded.since`,
    )(...place, member, textOfJson(value), at);
  }
}

/** Stores the time from which the server counts a stream's onsets, and the version of its processing. */
export function noteStart(db: Db, stream: Stream, basis: string, at: string): void {
  const { experimentId, dataset, scope } = stream;
  const [version = null, start = null] = JSON.parse(basis) as unknown[];
  const room = scope.kind === 'room' ? scope.id : scope.kind === 'participant' ? scope.room : null;
  command(
    db,
    `INSERT INTO _experiment_starts (experiment_id, data, scope, room_id, started_at, processing_version, since)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET started_at = excluded.started_at, processing_version = excluded.processing_version, since = excluded.since
     WHERE started_at IS NOT excluded.started_at OR processing_version IS NOT excluded.processing_version`,
  )(experimentId, dataset.name, scopeText(stream), room, timeText(start), plainText(version), at);
}

/** In the form of all times if it is a time; otherwise as the server sent it. */
function timeText(start: unknown): string | null {
  const ms = typeof start === 'string' ? parseTime(start) : typeof start === 'number' ? parseEpoch(start) : undefined;
  return ms === undefined ? plainText(start) : formatTime(ms);
}

function plainText(value: unknown): string | null {
  return value === null ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

const STREAM = {
  experiment_id: text('The experiment.', { privacy: 'none' }),
  data: code('The data type whose answers say so.'),
  scope: text('The scope of its stream, as in `_freshness`.', { privacy: 'direct' }),
} as const satisfies Columns;
const SINCE = {
  since: time('When it was first said so, by the local clock.', { privacy: 'none' }),
} as const satisfies Columns;

/** The tables of what answers say besides their records, for readers. */
export const ANSWER_TABLES: readonly Explained[] = [
  {
    name: '_experiment_starts',
    about: 'From when HyperStudy counts the onsets of a part of an experiment, and by which version of its processing.',
    row: 'a stream, as its last answer says',
    columns: {
      ...STREAM,
      room_id: text('The room, if they are those of one.', {
        privacy: 'indirect',
        missing: 'They are those of all rooms.',
      }),
      started_at: time('When onset 0 is.', { privacy: 'indirect', missing: 'The answers do not say.' }),
      processing_version: code("The version of HyperStudy's processing.", { missing: 'The answers do not say.' }),
      ...SINCE,
    },
  },
  {
    name: '_answer_metadata',
    about: "What answers say besides their records: for `variables`, a room's timeline and the writes that were lost.",
    row: 'a member of the metadata of a stream',
    columns: {
      ...STREAM,
      member: code('The name of the member.'),
      value: json('Its value.', { privacy: 'free text' }),
      ...SINCE,
    },
  },
];
