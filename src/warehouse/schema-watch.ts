import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { declaredFields, typesIn, type DeclaredField, type TypesOf, type ValueType } from '../datasets/field-types.ts';
import type { Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { isUnaccepted, type SchemaChange } from './schema-changes.ts';

/** Notices new fields and types in records; see `_schema_changes`. */
export interface SchemaWatch {
  /**
   * Checks rows in the transaction that writes them. Returns whether any of them has a change that has to be accepted.
   * @param freezes whether changes have to be accepted; otherwise they are recorded as accepted.
   */
  note(stream: Stream, rows: readonly Row[], at: Moment & { readonly freezes: boolean }): boolean;
  /** Call this before a transaction writes rows: what is stored by then is known. */
  open(dataset: Dataset): void;
  /** Call this after a rollback: what the transaction noted is forgotten. */
  forget(): void;
}

/** When the rows are written (milliseconds since 1970 UTC), and whether the stream's first read has ended. */
interface Moment {
  readonly now: number;
  readonly backfilled: boolean;
}

/** What is known about a field: its types, each with the id of the change that lists it, if there is one. */
interface Field {
  readonly declared: DeclaredField | undefined;
  readonly seen: Map<ValueType, number | null>;
  /** The field was stored by an earlier version, which did not record types. */
  readonly isOlder: boolean;
}

/** What is known about a data type. */
interface Known {
  readonly typesOf: TypesOf;
  readonly declared: ReadonlyMap<string, DeclaredField>;
  readonly fields: Map<string, Field>;
  /** How many types are stored. */
  stored: number;
}

/** The rows in which a field has values of one type. */
interface Met {
  records: number;
  /** The earliest time of these rows. */
  since: number | undefined;
}

/** How many changes of a data type are listed within how many milliseconds; further changes are counted in one row. */
export const MOST_LISTED = 50;
export const LISTED_WITHIN_MS = 30 * DAY_MS;
/** How many types are stored for a data type, and the longest field name that is stored. */
const MOST_STORED = 2000;
const LONGEST_NAME = 200;

export function openSchemaWatch(db: Db): SchemaWatch {
  const known = new Map<string, Known>();
  const aboutOf = (dataset: Dataset) => {
    const about = known.get(dataset.name) ?? load(db, dataset);
    known.set(dataset.name, about);
    return about;
  };
  return {
    open: (dataset) => void aboutOf(dataset),
    note(stream, rows, { now, backfilled, freezes }) {
      if (rows.length === 0) return false;
      const about = aboutOf(stream.dataset);
      const met = meet(about, rows);
      if (met.size === 0) return false;
      const writing = { db, stream, about, now, freezes, isNews: memo(() => backfilled || isKnown(db, stream, now)) };
      const ids = [...met].flatMap(([field, types]) => noteField(writing, field, types));
      return freezes && isUnaccepted(db, ids);
    },
    forget: () => known.clear(),
  };
}

/** The types in these rows that are not known or that a change lists. */
function meet({ typesOf, fields }: Known, rows: readonly Row[]): Map<string, Map<ValueType, Met>> {
  const met = new Map<string, Map<ValueType, Met>>();
  for (const row of rows) {
    typesOf(row, (field, type) => {
      if (fields.get(field)?.seen.get(type) === null) return;
      let types = met.get(field);
      if (types === undefined) met.set(field, (types = new Map<ValueType, Met>()));
      const one = types.get(type) ?? { records: 0, since: undefined };
      one.records++;
      if (row.time !== undefined) one.since = Math.min(one.since ?? row.time, row.time);
      types.set(type, one);
    });
  }
  return met;
}

interface Writing {
  readonly db: Db;
  readonly stream: Stream;
  readonly about: Known;
  readonly now: number;
  readonly freezes: boolean;
  /** Whether the fields of the data type are known, so that a new one is a change. */
  readonly isNews: () => boolean;
}

/** Records the types of a field in these rows; returns the ids of the changes that they belong to. */
function noteField(writing: Writing, field: string, types: ReadonlyMap<ValueType, Met>): number[] {
  const { about } = writing;
  const found = about.fields.get(field);
  const fresh = [...types.keys()].filter((type) => found?.seen.has(type) !== true);
  const change = fresh.length === 0 ? undefined : changeOf(about, field, fresh);
  const listed = change !== undefined && writing.isNews() ? list(writing, field, change) : undefined;
  if (listed !== 'more') {
    const id = listed ?? (change === undefined ? nullOnly(found, fresh) : null);
    for (const type of fresh) learn(writing, field, type, change === undefined || change.types.has(type) ? id : null);
    if (change === undefined && id !== null) retype(writing.db, id, fresh);
  }
  return count(writing, field, types, listed === 'more');
}

interface Change {
  readonly change: 'new field' | 'changed type';
  readonly types: ReadonlySet<ValueType>;
  readonly before: readonly ValueType[];
}

/** The change that new types of a field amount to; undefined if they are not a change. */
function changeOf({ declared, fields }: Known, field: string, fresh: readonly ValueType[]): Change | undefined {
  const found = fields.get(field);
  const said = found?.declared ?? declared.get(field);
  if (found === undefined && said === undefined) return { change: 'new field', types: new Set(fresh), before: [] };
  if (found?.isOlder === true && found.seen.size === 0) return undefined;
  const seen = [...(found?.seen.keys() ?? [])].filter((type) => type !== 'null');
  const before = said === undefined || (said.isWide && seen.length > 0) ? seen : [...new Set([...said.types, ...seen])];
  const others = fresh.filter((type) => type !== 'null' && !before.includes(type));
  if (before.length === 0 || others.length === 0) return undefined;
  return { change: 'changed type', types: new Set(others), before };
}

/** The id of the change that listed a field whose values were all null so far. */
function nullOnly(found: Field | undefined, fresh: readonly ValueType[]): number | null {
  const isListed = found !== undefined && found.seen.size === 1 && !fresh.includes('null');
  return isListed ? (found.seen.get('null') ?? null) : null;
}

function retype(db: Db, id: number, types: readonly ValueType[]): void {
  command(db, 'UPDATE _schema_changes SET type_now = ? WHERE id = ?')(types.join(' or '), id);
}

/** Lists a change and returns its id, or `more` if too many are listed. */
function list(
  { db, stream, now, freezes }: Writing,
  field: string,
  { change, types, before }: Change,
): number | 'more' {
  const { name } = stream.dataset;
  if (field.length > LONGEST_NAME || listedLately(db, name, now) >= MOST_LISTED) return 'more';
  const notNull = [...types].filter((type) => type !== 'null');
  return insert(db, {
    data: name,
    field,
    change,
    typeBefore: before.length === 0 ? null : before.join(' or '),
    typeNow: notNull.length === 0 ? 'null' : notNull.join(' or '),
    experimentId: stream.experimentId,
    seenAt: formatTime(now),
    acceptedAt: freezes ? null : formatTime(now),
  });
}

type Inserted = Pick<SchemaChange, 'data' | 'field' | 'change' | 'typeBefore' | 'typeNow' | 'experimentId'> & {
  readonly seenAt: string;
  readonly acceptedAt: string | null;
};

function insert(db: Db, change: Inserted): number {
  const sql = `INSERT INTO _schema_changes
      (data, field, change, type_before, type_now, experiment_id, records, seen_at, accepted_at)
    VALUES (@data, @field, @change, @typeBefore, @typeNow, @experimentId, 0, @seenAt, @acceptedAt) RETURNING id`;
  return queryValues(db, sql, z.number()).get({ ...change }) ?? 0;
}

function listedLately(db: Db, data: string, now: number): number {
  const sql = 'SELECT count(*) FROM _schema_changes WHERE data = ? AND seen_at > ? AND field IS NOT NULL';
  return queryValues(db, sql, z.number()).get(data, formatTime(now - LISTED_WITHIN_MS)) ?? 0;
}

/** Adds the rows to the counts of the changes that list them; returns the ids of these. */
function count(writing: Writing, field: string, types: ReadonlyMap<ValueType, Met>, isMore: boolean): number[] {
  const { db, about } = writing;
  const add = command(
    db,
    `UPDATE _schema_changes SET records = records + @records,
       since = CASE WHEN since < @since THEN since ELSE coalesce(@since, since) END WHERE id = @id`,
  );
  return [...types].flatMap(([type, { records, since }]) => {
    const id = about.fields.get(field)?.seen.get(type) ?? (isMore ? moreOf(writing) : null);
    if (id === null) return [];
    add({ id, records, since: since === undefined ? null : formatTime(since) });
    return [id];
  });
}

/** The id of the row that counts the changes that are not listed. */
function moreOf({ db, stream, now, freezes }: Writing): number {
  const { experimentId, dataset } = stream;
  const sql = "SELECT id FROM _schema_changes WHERE data = ? AND seen_at > ? AND change = 'more'";
  const found = queryValues(db, sql, z.number()).get(dataset.name, formatTime(now - LISTED_WITHIN_MS));
  const at = { seenAt: formatTime(now), acceptedAt: freezes ? null : formatTime(now) };
  const none = { field: null, typeBefore: null, typeNow: null };
  return found ?? insert(db, { data: dataset.name, ...none, change: 'more', experimentId, ...at });
}

function learn({ db, about, stream }: Writing, field: string, type: ValueType, id: number | null): void {
  const found = about.fields.get(field) ?? { declared: about.declared.get(field), seen: new Map(), isOlder: false };
  found.seen.set(type, id);
  about.fields.set(field, found);
  if (about.stored >= MOST_STORED || field.length > LONGEST_NAME) return;
  about.stored++;
  const store = command(
    db,
    'INSERT INTO _field_types (data, field, type, change_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  store(stream.dataset.name, field, type, id);
}

const StoredType = z.object({
  field: z.string(),
  type: z.enum(['text', 'number', 'boolean', 'object', 'list', 'null']),
  changeId: z.number().nullable(),
});

/** Loads what is stored about a data type. */
function load(db: Db, dataset: Dataset): Known {
  const declared = declaredFields(dataset);
  const older = queryValues(
    db,
    "SELECT DISTINCT substr(path, 7) FROM _column_names WHERE relation = ? AND path LIKE 'extra.%'",
    z.string(),
  ).all(dataset.table);
  const fields = new Map(
    older.map((field): [string, Field] => [field, { declared: declared.get(field), seen: new Map(), isOlder: true }]),
  );
  const sql = 'SELECT field, type, change_id AS changeId FROM _field_types WHERE data = ?';
  const stored = queryRows(db, sql, StoredType).all(dataset.name);
  for (const [field, types] of Map.groupBy(stored, (one) => one.field)) {
    const seen = new Map(types.map(({ type, changeId }) => [type, changeId]));
    fields.set(field, { declared: declared.get(field), seen, isOlder: false });
  }
  return { typesOf: typesIn(dataset), declared, fields, stored: stored.length };
}

/**
 * Whether the fields of a data type were known before this first read of a stream, because another experiment has been
 * read to its end. Parts of the same experiment are first read one after the other; they count from the next day on.
 */
function isKnown(db: Db, { experimentId, dataset }: Stream, now: number): boolean {
  const sql = `SELECT count(*) FROM (SELECT 1 FROM _streams
    WHERE data = ? AND backfilled = 1 AND rows > 0 AND (experiment_id <> ? OR data_as_of < ?) LIMIT 1)`;
  return queryValues(db, sql, z.number()).get(dataset.name, experimentId, formatTime(now - DAY_MS)) === 1;
}

function memo<T>(compute: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: compute() }).value;
}
