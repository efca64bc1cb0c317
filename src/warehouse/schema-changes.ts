import { z } from 'zod';
import { counted } from '../shared/count.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Doubt } from './doubts.ts';
import { code, count, integer, text, time, type Explained } from '../derive/columns.ts';
import type { Db } from './open.ts';

/** One thing in which the records of a data type differ from what was known of them. Never a value of theirs. */
export interface SchemaChange {
  readonly id: number;
  readonly data: string;
  /** Null where there were too many to list. */
  readonly field: string | null;
  /** `more`: further ones, which are only counted. */
  readonly change: 'new field' | 'changed type' | 'more';
  readonly typeBefore: string | null;
  readonly typeNow: string | null;
  /** Whose records first brought it. */
  readonly experimentId: string;
  /** Records that were written with it so far. */
  readonly records: number;
  /** The earliest time of these records, by the server; milliseconds since 1970 UTC, as the next one. */
  readonly since: number | undefined;
  /** When it was first read. */
  readonly seenAt: number;
}

const Time = z.string().transform((text) => parseTime(text) ?? 0);
const Stored = z.object({
  id: z.number(),
  data: z.string(),
  field: z.string().nullable(),
  change: z.enum(['new field', 'changed type', 'more']),
  typeBefore: z.string().nullable(),
  typeNow: z.string().nullable(),
  experimentId: z.string(),
  records: z.number(),
  since: Time.nullable().transform((at) => at ?? undefined),
  seenAt: Time,
});

const SELECT = `SELECT id, data, field, change, type_before AS typeBefore, type_now AS typeNow,
    experiment_id AS experimentId, records, since, seen_at AS seenAt FROM _schema_changes`;

/** What was first read after a time (milliseconds since 1970 UTC), the latest first. */
export function schemaChangesAfter(db: Db, ms: number): SchemaChange[] {
  const sql = `${SELECT} WHERE seen_at > ? AND accepted_at IS NOT NULL ORDER BY seen_at DESC, id LIMIT 1000`;
  return queryRows(db, sql, Stored).all(formatTime(ms));
}

/** What streams of a data type are stopped for. */
export function unacceptedChanges(db: Db, data: string): SchemaChange[] {
  return queryRows(db, `${SELECT} WHERE data = ? AND accepted_at IS NULL ORDER BY id`, Stored).all(data);
}

/** Which of these changes are not accepted. */
export function isUnaccepted(db: Db, ids: readonly number[]): boolean {
  const sql = `SELECT count(*) FROM _schema_changes
    WHERE accepted_at IS NULL AND id IN (SELECT value FROM json_each(?))`;
  return ids.length > 0 && (queryValues(db, sql, z.number()).get(JSON.stringify(ids)) ?? 0) > 0;
}

/** Accepts what streams of a data type are stopped for. */
export function acceptChanges(db: Db, data: string, now: number): void {
  const accept = command(db, 'UPDATE _schema_changes SET accepted_at = ? WHERE data = ? AND accepted_at IS NULL');
  accept(formatTime(now), data);
}

/** The most changes that one sentence names. */
const NAMED = 3;

/** The doubt of a stream that is stopped. */
export function stoppedDoubt(changes: readonly SchemaChange[]): Doubt {
  const more = changes.length > NAMED ? `, and ${counted(changes.length - NAMED, 'other change')}` : '';
  const named = changes.slice(0, NAMED).map(changeText).join(', ');
  return {
    kind: 'schema',
    text: `records came with ${named}${more}, and the stream is stopped until that is accepted`,
  };
}

/** Names are the server's words: what is no plain name may be anything, and stays in the table. */
const PLAIN_NAME = /^[A-Za-z_$][\w$.-]{0,63}$/;

/** What changed, as a noun: `a new field stimulusMeta (object)`. */
export function changeText({ field, change, typeBefore, typeNow }: SchemaChange): string {
  const name = field !== null && PLAIN_NAME.test(field) ? field : '(see _schema_changes)';
  switch (change) {
    case 'new field':
      return `a new field ${name} (${typeNow ?? ''})`;
    case 'changed type':
      return `${name} as ${typeNow ?? ''} instead of ${typeBefore ?? ''}`;
    case 'more':
      return 'more changes than are listed';
  }
}

const TYPES = 'text, number, boolean, object, list or null; several are joined by "or".';

export const SCHEMA_CHANGES: Explained = {
  name: '_schema_changes',
  about: 'New fields of records, and fields whose values have another type than before.',
  row: 'a change',
  columns: {
    id: integer('The number of the change.', { privacy: 'none', unit: 'id' }),
    data: code("The data type, by the API's name."),
    field: text('The field of its records.', {
      privacy: 'indirect',
      missing: 'The row counts changes that are too many to be listed.',
    }),
    change: code('What is new.', {
      values: {
        'new field': 'neither the data type nor the file knew it',
        'changed type': 'its values have another type than before',
        more: 'further changes, which are only counted',
      },
    }),
    type_before: code(`The types of its values so far: ${TYPES}`, { missing: 'There were none.' }),
    type_now: code(`The types that came: ${TYPES} A value is never stored here.`, {
      missing: 'The row counts changes that are too many to be listed.',
    }),
    experiment_id: text('The experiment whose records first brought it.', { privacy: 'none' }),
    records: count('How often a record was written with it; one that changed later on counts again.'),
    since: time('The earliest time of these records, by the server.', { privacy: 'none', missing: 'They have none.' }),
    seen_at: time('When it was first read, by the local clock.', { privacy: 'none' }),
    accepted_at: time('When it was accepted, by the local clock: at once with `schema: follow`.', {
      privacy: 'none',
      missing: 'Streams are stopped for it.',
    }),
  },
};
