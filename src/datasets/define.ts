import { core, index, integer, real, sqliteTable, text } from '../shared/drizzle.ts';
import type { SQLiteColumn, SQLiteColumnBuilderBase, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { derivedColumns, type DerivedColumn } from './derived.ts';
import { PART_ABOUT, PART_MISSING, PART_TYPE, PARTS, type Part } from './mixed.ts';
import { privacyOfForm, type DeclaredPrivacy } from './privacy.ts';
import type { FieldKind, PlainKind } from './values.ts';

const SQL_TYPE: Record<PlainKind, 'TEXT' | 'INTEGER' | 'REAL'> = {
  text: 'TEXT',
  integer: 'INTEGER',
  real: 'REAL',
  boolean: 'INTEGER',
  time: 'TEXT',
  json: 'TEXT',
};

/** One known field of a data type: its kind, what it means, what it reveals about a person and, where it has one, its unit. */
export interface FieldSpec {
  readonly kind: FieldKind;
  readonly about: string;
  readonly privacy: DeclaredPrivacy;
  /** Its value is the id of a participant, or a list of such ids. */
  readonly isPerson?: true;
  /** Its name means the same wherever it stands, in other data types and inside of objects too. */
  readonly sameAnywhere?: true;
  readonly unit?: string;
  /** Other names under which the API sends the same field, tried in this order when the first is absent. */
  readonly aliases?: readonly string[];
  /**
   * A URL whose temporary signature differs in every answer although the record has not changed: the signature is left
   * out.
   */
  readonly volatile?: true;
  /** What other tables call the same thing: the name of a second column with the same value. */
  readonly alsoAs?: string;
  /** Where else in the record the same value is, for records that lack the field. */
  readonly fallbacks?: readonly Place[];
  /** Its value may be the id of the participant who wrote the record. */
  readonly isAuthor?: true;
  /** No record of the API has it: the request or the list that brought the record says it. */
  readonly isAdded?: true;
  /** What it means that there is no value, where that is more than that the API gave none. */
  readonly missing?: string;
  /** The values that the API documents, each with what it means. */
  readonly values?: Readonly<Record<string, string>>;
  /** Its values are codes, or names of the design: a codebook lists them. Other texts are only counted. */
  readonly isCode?: true;
}

/** A text inside a record, or a part of it. */
export interface Place {
  /** The names that lead to it from the record down. */
  readonly path: readonly string[];
  /** Which part of it to take: the first group, percent-decoded. */
  readonly pattern?: RegExp;
}

/** A part of an experiment that can be requested from the API. */
export type ScopeKind = 'experiment' | 'room' | 'participant' | 'deployment';

/** The allowed values of an additional query parameter. */
export type OptionKind = 'number' | 'boolean' | 'strings';

/** What the author of a data type writes. Everything else (table, columns, keys, docs) follows from it. */
export interface DatasetSpec {
  /** The API's name of the data type, as in its path and in the configuration. */
  readonly name: string;
  readonly about: string;
  /** The scopes of which an API key needs one: several where the API's pages differ, none where they say nothing. */
  readonly keyScopes: readonly string[];
  /** The name of the table, if it is not the data type's name in snake_case. */
  readonly table?: string;
  /** The parts that one request can cover, in order of preference. */
  readonly scopes: readonly ScopeKind[];
  /** The path of a scope, with `{id}` for the scope's id; by default `/data/{name}/{scope}/{id}`. */
  readonly path?: string;
  /** Fields that identify a record: the first one present counts; the rest are other names of the same id. */
  readonly identity: readonly string[];
  /**
   * Where an id is unique. The API does not say whether ids are unique within a data type or within a room, so by
   * default the key begins with the room, which is exact either way. A row that moves to another room is then deleted
   * in one and inserted in the other; `idInKey` distinguishes this from a deletion. With `experiment` a row that moves
   * keeps its key, but records of two rooms with the same id would overwrite each other if they come in different
   * answers: use it only for records that are not in a room.
   */
  readonly idScope?: 'room' | 'experiment';
  /**
   * Fields that together identify a record without an id, so that its other fields may change in place. Without them a
   * record is identified by its content. Only a complete listing shows which of several records with one name is which.
   */
  readonly naming?: readonly string[];
  /** The field that the API filters and sorts by; undefined: the data type has none. */
  readonly timeField: string | undefined;
  /** incremental: documented `startTime` and `sort`; snapshot: listed whole; single: one object. */
  readonly read: 'incremental' | 'snapshot' | 'single';
  /** One answer holds everything, unless it says that there is more (Python SDK 0.4.1 reads these without paging). */
  readonly unpaged?: true;
  /** The largest `limit`, if it is smaller than elsewhere. */
  readonly pageLimit?: number;
  /** Records in its answers that belong to another data type, by the value of a field. */
  readonly leavesOut?: Readonly<Record<string, string>>;
  /**
   * Not every part of an experiment has a record: as long as none was read, "not found" and "invalid" mean that there
   * is none.
   */
  readonly mayBeAbsent?: true;
  /** Members of an answer's metadata that are data as well and are stored. */
  readonly metadata?: readonly string[];
  /** The field of the experiment's own record that counts these records. */
  readonly countedBy?: 'roomCount' | 'participantCount';
  /** Its records are the parts of an experiment of which others can be requested. */
  readonly listsParts?: 'rooms' | 'deployments';
  /** Records may belong to no room, so that the rooms together do not cover everything. */
  readonly roomless?: true;
  /** The API stops at this many records, whatever is requested. */
  readonly cap?: number;
  /**
   * Fields, in order, of indexes for what readers ask often. They are built when the table has been read for the first
   * time, as a first read that keeps them up takes twice as long; see `warehouse/query-indexes.ts`.
   */
  readonly queryIndexes?: readonly (readonly string[])[];
  /** Query parameters beyond the common ones. */
  readonly options?: Readonly<Record<string, OptionKind>>;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** What is known of members of its JSON columns, by column and member, as in `response.value`. */
  readonly members?: Readonly<Record<string, MemberSpec>>;
}

/** A member of a JSON column. */
export interface MemberSpec {
  /** `any`: its values are of several types, so that it has a column for each from the start. */
  readonly kind?: 'any';
  readonly unit?: string;
  /** What it reveals about a person, if that is not what the whole column does. */
  readonly privacy?: DeclaredPrivacy;
}

/** A column of a data type's table that holds one field, or a part of it. */
export interface Column {
  readonly field: string;
  readonly name: string;
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  readonly spec: FieldSpec;
  /** Which of the columns of a field of any type; they stand in the order of `PARTS`. */
  readonly part?: Part;
}

/** A data type as the rest of the code uses it. */
export interface Dataset extends DatasetSpec {
  readonly table: string;
  /** The known fields in the order of their columns. */
  readonly columns: readonly Column[];
  /** The columns that follow from those, for readers. */
  readonly derived: readonly DerivedColumn[];
  readonly timeColumn: string | undefined;
  readonly drizzle: SQLiteTable;
}

/** Whether a column holds JSON. */
export function isJsonColumn({ spec, part }: Column): boolean {
  return part === undefined ? spec.kind === 'json' : part === 'json';
}

/** What a column holds. */
export function aboutOf({ spec: { about }, part }: Column): string {
  return part === undefined ? about : `${about} ${PART_ABOUT[part]}`;
}

/** What it means that a column holds nothing. */
export function missingOf({ spec: { missing }, part }: Column): string {
  return missing ?? (part === undefined ? NOT_GIVEN : PART_MISSING[part]);
}

/** What a column reveals about a person. */
export function privacyOf({ spec: { privacy }, part }: Column): DeclaredPrivacy {
  return part === undefined ? privacy : privacyOfForm(privacy, part);
}

/** What the key of a data type's rows reveals: that a person did it where their id is part of it. */
export function privacyOfKey({ fields, identity, naming = [] }: DatasetSpec): DeclaredPrivacy {
  return [...identity, ...naming].some((field) => fields[field]?.isPerson === true) ? 'direct' : 'indirect';
}

export const NOT_GIVEN = 'The API gave none, or one that does not fit the column and is in `extra`.';

/** The unit of what a column holds, in words; undefined for a text that has none. */
export function unitOf({ spec: { kind, unit }, part }: Column): string | undefined {
  if (part === 'type' || part === 'text') return undefined;
  if (part === 'json') return 'JSON';
  if (kind === 'time') return 'ISO 8601, UTC';
  if (kind === 'json') return 'JSON';
  return kind === 'boolean' ? '0 or 1' : unit;
}

/** The name of a query index, and its columns in order. */
export function queryIndexesOf({ table, queryIndexes = [] }: Pick<Dataset, 'table' | 'queryIndexes'>) {
  return queryIndexes.map((fields) => {
    const columns = fields.map(snakeCase);
    return { name: `${table}_by_${columns.map((column) => column.replace(/_id$/, '')).join('_')}`, columns };
  });
}

/** Columns with an index, for queries in order of time: one experiment, one room, one participant. */
const INDEXED = ['experiment_id', 'room_id', 'participant_id'];

export function snakeCase(name: string): string {
  return name
    .replace(/[/-]/g, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Completes a data type's declaration with its table, columns and indexes. */
export function defineDataset(spec: DatasetSpec): Dataset {
  const table = spec.table ?? snakeCase(spec.name);
  const columns = Object.entries(spec.fields)
    .filter(([field]) => field !== 'experimentId')
    .flatMap(([field, fieldSpec]) => columnsOf(field, fieldSpec));
  const timeColumn = spec.timeField === undefined ? undefined : snakeCase(spec.timeField);
  const derived = derivedColumns(columns);
  const drizzle = drizzleTable({ table, columns, derived, timeColumn });
  return { ...spec, table, columns, derived, timeColumn, drizzle };
}

function columnsOf(field: string, spec: FieldSpec): Column[] {
  const name = snakeCase(field);
  if (spec.kind !== 'any') return [{ field, name, type: SQL_TYPE[spec.kind], spec }];
  return PARTS.map((part) => ({ field, name: `${name}_${part}`, type: PART_TYPE[part], spec, part }));
}

function drizzleTable({
  table,
  columns,
  derived,
  timeColumn,
}: Pick<Dataset, 'table' | 'columns' | 'derived' | 'timeColumn'>): SQLiteTable {
  const builders: Record<string, SQLiteColumnBuilderBase> = {
    experiment_id: text().notNull(),
    key: text().notNull(),
    ...Object.fromEntries(columns.map(({ name, type }) => [name, drizzleColumn(type)])),
    extra: text(),
    first_seen_at: text().notNull(),
    synced_at: text().notNull(),
    synced_run: integer(),
    null_fields: text(),
    ...Object.fromEntries(derived.map(({ name, type }) => [name, drizzleColumn(type)])),
  };
  const own = new Set(['experiment_id', ...columns.map(({ name }) => name)]);
  const indexed = timeColumn === undefined ? [] : INDEXED.filter((name) => own.has(name));
  return sqliteTable(table, builders, (built) => {
    const column = (name: string): SQLiteColumn => {
      const found = built[name];
      if (found === undefined) throw new Error(`table ${table} has no column ${name}`);
      return found;
    };
    return [
      core.primaryKey({ columns: [column('experiment_id'), column('key')] }),
      ...indexed.map((name) =>
        index(`${table}_by_${name.replace('_id', '')}_and_time`).on(column(name), column(timeColumn ?? name)),
      ),
    ];
  });
}

function drizzleColumn(type: Column['type']): SQLiteColumnBuilderBase {
  return { TEXT: text, INTEGER: integer, REAL: real }[type]();
}
