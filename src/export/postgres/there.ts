import { createHash } from 'node:crypto';
import { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import { quote } from '../../shared/sqlite.ts';
import type { Column, Table } from '../snapshot/tables.ts';
import { nameThere, quoted, typeOf } from './columns.ts';
import type { Server } from './server.ts';

/** What is kept of a publication beside the data: it says what is there, and proves it. */
export const [PUBLICATION, PARTITIONS, MADE] = ['_publication', '_partitions', '_published_tables'];

/** One table of one experiment as it was published; a table about the others has an empty experiment. */
export const PartitionThere = z.object({
  table: z.string(),
  experiment: z.string(),
  rows: z.coerce.number(),
  digest: z.string(),
  width: z.number(),
  columns: z.string(),
  mark: z.string(),
  leftOut: z.string().nullable(),
});
export type PartitionThere = z.infer<typeof PartitionThere>;

const PublicationThere = z.object({
  content: z.string(),
  erasures: z.coerce.number(),
});

/** What a schema holds that was published before. */
export interface There {
  readonly publication: z.infer<typeof PublicationThere> | undefined;
  readonly partitions: readonly PartitionThere[];
  /** By the table's name in the warehouse: a hash of its comments, and its columns with their types. */
  readonly tables: ReadonlyMap<string, TableThere>;
}

export interface TableThere {
  readonly comments: string;
  readonly columns: ReadonlyMap<string, string>;
}

const STATE_SQL = (schema: string) => `
  CREATE TABLE ${schema}.${PUBLICATION} (product text NOT NULL, lab text NOT NULL, published_at timestamptz NOT NULL,
    complete boolean NOT NULL, lacks text NOT NULL, unreadable text NOT NULL, erasures bigint NOT NULL, content text NOT NULL);
  COMMENT ON TABLE ${schema}.${PUBLICATION} IS 'What hsw publish has put here: when, how complete it is, and, as JSON, a sentence for each thing that it may lack.';
  CREATE TABLE ${schema}.${PARTITIONS} (table_name text NOT NULL, experiment_id text NOT NULL, rows bigint NOT NULL,
    digest text NOT NULL, width integer NOT NULL, columns text NOT NULL, mark text NOT NULL, left_out text,
    published_at timestamptz NOT NULL);
  COMMENT ON TABLE ${schema}.${PARTITIONS} IS 'For each table of each experiment: how many records it has, their digest (that of hsw certify), and when they were put here.';
  CREATE TABLE ${schema}.${MADE} (table_name text NOT NULL, name_here text NOT NULL, comments text NOT NULL);
  COMMENT ON TABLE ${schema}.${MADE} IS 'The tables here that hsw publish has made.'`;

/**
 * Reads what is in a schema, and creates what a first publication needs.
 * @throws WarehouseError USAGE for a schema that holds anything else
 */
export async function readThere(server: Server, schema: string): Promise<There> {
  const of = quote(schema);
  const names = await server.rows(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    z.object({ name: z.string() }),
    [schema],
  );
  if (!names.some(({ name }) => name === PUBLICATION)) {
    if (names.length > 0)
      throw new WarehouseError('USAGE', `The schema ${schema} of ${server.place} holds something else already.`, {
        hint: 'Choose another name with --lab: it is the name of the schema. Nothing was changed.',
      });
    const known = await server.rows('SELECT 1 AS one FROM pg_namespace WHERE nspname = $1', z.unknown(), [schema]);
    if (known.length === 0) await server.run(`CREATE SCHEMA ${of}`);
    await server.run(STATE_SQL(of));
  }
  const [publication] = await server.rows(`SELECT content, erasures FROM ${of}.${PUBLICATION}`, PublicationThere);
  const partitions = await server.rows(
    `SELECT table_name AS "table", experiment_id AS experiment, rows, digest, width, columns, mark, left_out AS "leftOut"
     FROM ${of}.${PARTITIONS}`,
    PartitionThere,
  );
  return { publication, partitions, tables: await tablesThere(server, schema) };
}

async function tablesThere(server: Server, schema: string): Promise<ReadonlyMap<string, TableThere>> {
  const found = await server.rows(
    `SELECT m.table_name AS name, m.comments, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
     FROM ${quote(schema)}.${MADE} m JOIN pg_namespace n ON n.nspname = $1
     JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.name_here
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`,
    z.object({ name: z.string(), comments: z.string(), column: z.string(), type: z.string() }),
    [schema],
  );
  const tables = new Map<string, { comments: string; columns: Map<string, string> }>();
  for (const { name, comments, column, type } of found) {
    const table = tables.get(name) ?? { comments, columns: new Map<string, string>() };
    tables.set(name, table);
    table.columns.set(column, type);
  }
  return tables;
}

/** Whether the columns are there as they are to be. */
export function hasColumns(there: TableThere | undefined, columns: readonly Column[]): boolean {
  return there !== undefined && columns.every((one) => there.columns.get(nameThere(one.name)) === typeOf(one));
}

/** The statements that make a table what it is to be; none where it is. Its rows stay, and so do its rights and views. */
export function statementsFor(schema: string, table: Table, there: TableThere | undefined): string[] {
  const at = `${quote(schema)}.${quoted(table.name)}`;
  const comments = commentsHash(table);
  const made = `(${literal(table.name)}, ${literal(nameThere(table.name))}, ${literal(comments)})`;
  const record = [
    `DELETE FROM ${quote(schema)}.${MADE} WHERE table_name = ${literal(table.name)}`,
    `INSERT INTO ${quote(schema)}.${MADE} VALUES ${made}`,
  ];
  if (there === undefined)
    return [
      `CREATE TABLE ${at} (${table.columns.map(declared).join(', ')})`,
      ...indexOf(table).map((columns) => `CREATE INDEX ON ${at} (${columns.map(quoted).join(', ')})`),
      ...commentsOn(at, table),
      ...record,
    ];
  const wanted = new Map(table.columns.map((column) => [nameThere(column.name), typeOf(column)]));
  const changes = [
    ...[...there.columns]
      .filter(([name, type]) => wanted.get(name) !== type)
      .map(([name]) => `DROP COLUMN ${quote(name)}`),
    ...table.columns
      .filter((column) => there.columns.get(nameThere(column.name)) !== typeOf(column))
      .map((column) => `ADD COLUMN ${declared(column)}`),
  ];
  return [
    ...(changes.length > 0 ? [`ALTER TABLE ${at} ${changes.join(', ')}`] : []),
    ...(changes.length > 0 || there.comments !== comments ? [...commentsOn(at, table), ...record] : []),
  ];
}

export function declared(column: Column): string {
  return `${quoted(column.name)} ${typeOf(column)}`;
}

/**
 * An index by experiment, and by time where rows have one. None is unique: an id may be longer than an index takes.
 */
function indexOf({ columns }: Table): string[][] {
  const names = ['experiment_id', 'timestamp'].filter((name) => columns.some((column) => column.name === name));
  return names[0] === 'experiment_id' ? [names] : [];
}

function commentsOn(at: string, { about, columns, key }: Table): string[] {
  return [
    `COMMENT ON TABLE ${at} IS ${literal(about)}`,
    ...columns.map((column) => `COMMENT ON COLUMN ${at}.${quoted(column.name)} IS ${literal(commentOf(column, key))}`),
  ];
}

function commentOf({ name, unit, isBoolean, meaning, missing }: Column, key: readonly string[]): string {
  return [
    nameThere(name) === name ? undefined : `${name}:`,
    meaning,
    unit === null || isBoolean ? undefined : `Unit or form: ${unit}.`,
    key.includes(name) ? 'Part of the key.' : undefined,
    `NULL: ${missing}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

function commentsHash(table: Table): string {
  return createHash('sha256')
    .update(JSON.stringify([table.about, table.columns.map((column) => commentOf(column, table.key))]))
    .digest('hex');
}

/** A text in SQL, where nothing takes a parameter. A comment with a NUL goes without it. */
export function literal(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`;
}
