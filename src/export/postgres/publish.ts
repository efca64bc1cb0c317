import { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import { quote } from '../../shared/sqlite.ts';
import { formatTime } from '../../shared/time.ts';
import { VERSION } from '../../shared/version.ts';
import type { Db } from '../../warehouse/open.ts';
import { beginDigest } from '../certificate/digest.ts';
import { erasuresIn } from '../lake/marks.ts';
import { placeOf } from '../lake/partitions.ts';
import type { Publication } from '../lake/publish.ts';
import { recordReader } from '../lake/records.ts';
import type { Table } from '../snapshot/tables.ts';
import { lineReader, quoted } from './columns.ts';
import { plan } from './plan.ts';
import type { Server } from './server.ts';
import { stage, type Staged } from './stage.ts';
import {
  literal,
  MADE,
  PARTITIONS,
  PUBLICATION,
  readThere,
  statementsFor,
  type PartitionThere,
  type There,
} from './there.ts';

/** What a publication did. */
export interface PostgresReport {
  readonly published: string;
  readonly complete: boolean;
  readonly lacks: readonly string[];
  readonly isNew: boolean;
  readonly rows: number;
  readonly partitions: number;
  /** How many partitions were sent, how many were found as they are, and how many are no longer there. */
  readonly written: number;
  readonly unchanged: number;
  readonly removed: number;
  readonly bytes: number;
  /** Tables that PostgreSQL cannot hold. */
  readonly leftOut: readonly string[];
  /** Tables whose former rows PostgreSQL could not be made to overwrite after an erasure. */
  readonly unswept: readonly string[];
}

/** Others that publish to the same schema finish first; then this one reads the state of the data. */
const WAIT = '10min';
/** A long query of a reader may hold a table that is to get another column. */
const LOCK = '30s';

const SETTINGS = `SET LOCAL client_encoding = 'UTF8'; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO';
  SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on; SET LOCAL search_path = pg_catalog;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min';
  SET LOCAL tcp_keepalives_idle = 60; SET LOCAL enable_nestloop = off; SET LOCAL lock_timeout = '${WAIT}'`;

/**
 * Publishes the state of a warehouse as tables of a schema that has the lab's name. All of it is one transaction of the
 * server, so that readers see the former state or the new one, whatever ends it; what is sent goes to temporary tables
 * first. What the tables hold then is read back, and has to have the digests of the SQLite file.
 */
export async function publishToPostgres(db: Db, server: Server, publication: Publication): Promise<PostgresReport> {
  const schema = publication.lab;
  await server.run('BEGIN ISOLATION LEVEL READ COMMITTED');
  await server.run(SETTINGS);
  await refuseEncoding(server);
  await server.run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`hsw publish ${schema}`]);
  await server.run(`SET LOCAL lock_timeout = '${LOCK}'`);
  const there = await readThere(server, schema);
  db.exec('BEGIN');
  let done;
  try {
    done = await write(db, { server, schema, there, publication });
  } finally {
    db.exec('ROLLBACK');
  }
  await server.run(done.isNew ? 'COMMIT' : 'ROLLBACK');
  const { swept, ...report } = done;
  return { ...report, unswept: await sweep(server, swept) };
}

async function refuseEncoding(server: Server): Promise<void> {
  const [found] = await server.rows('SHOW server_encoding', z.object({ server_encoding: z.string() }));
  if (found?.server_encoding === 'UTF8') return;
  throw new WarehouseError(
    'USAGE',
    `The database of ${server.place} keeps texts as ${found?.server_encoding ?? '?'}.`,
    {
      hint: "Create one that can hold every text: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
    },
  );
}

interface Work {
  readonly server: Server;
  readonly schema: string;
  readonly there: There;
  readonly publication: Publication;
}

async function write(db: Db, work: Work) {
  const { server, schema, there, publication } = work;
  const { experiments, isComplete, lacks, unreadable } = publication.about();
  const jobs = plan(db, experiments, there, publication.all);
  const staged: Staged[] = [];
  for (const job of jobs) staged.push(await stage(job, staged.length, { server, publication }));
  const isWidened = await change(staged, work);
  for (const one of staged) if (one.partitions.length > 0) await compare(one, work);
  const now = staged.flatMap(({ job, partitions }) => [...job.kept, ...partitions]);
  const made = staged.flatMap(({ partitions }) => partitions);
  const named = new Set(now.map(placeOf));
  const gone = there.partitions.filter((one) => !named.has(placeOf(one)));
  const published = formatTime(publication.now());
  const erasures = erasuresIn(db);
  const content = JSON.stringify([VERSION, publication.lab, isComplete, lacks, unreadable, erasures]);
  const isNew = isWidened || made.length > 0 || gone.length > 0 || there.publication?.content !== content;
  if (isNew) {
    await keepPartitions(server, schema, { made, gone, published });
    await server.run(`DELETE FROM ${quote(schema)}.${PUBLICATION}`);
    await server.run(
      `INSERT INTO ${quote(schema)}.${PUBLICATION} VALUES ($1, $2, $3, $4::text::boolean, $5, $6, $7, $8)`,
      [
        `HyperStudy Warehouse ${VERSION}`,
        publication.lab,
        published,
        String(isComplete),
        JSON.stringify(lacks),
        JSON.stringify(unreadable),
        erasures,
        content,
      ],
    );
  }
  const isErased = there.publication !== undefined && there.publication.erasures !== erasures;
  return {
    published,
    complete: isComplete,
    lacks,
    isNew,
    rows: now.reduce((sum, one) => sum + one.rows, 0),
    partitions: now.length,
    written: made.length,
    unchanged: now.length - made.length,
    removed: gone.length,
    bytes: staged.reduce((sum, { bytes }) => sum + bytes, 0),
    leftOut: now.filter(({ leftOut }) => leftOut !== null).map(({ table }) => table),
    swept: isErased
      ? staged.filter((one) => one.isThere).map(({ job }) => `${quote(schema)}.${quoted(job.table.name)}`)
      : [],
  };
}

/** Makes the tables what they are to be; true where their form changed. */
async function change(staged: readonly Staged[], { server, schema, there, publication }: Work): Promise<boolean> {
  const of = quote(schema);
  let isChanged = false;
  const wanted = new Map(staged.filter((one) => one.isThere).map((one) => [one.job.table.name, one]));
  for (const name of [...there.tables.keys()].filter((one) => !wanted.has(one))) {
    isChanged = true;
    await server.run(`DROP TABLE ${of}.${quoted(name)}`);
    await server.run(`DELETE FROM ${of}.${MADE} WHERE table_name = $1`, [name]);
  }
  for (const { job, staging, partitions } of wanted.values()) {
    const { table, kept } = job;
    const statements = statementsFor(schema, table, there.tables.get(table.name));
    if (statements.length > 0) await server.run(statements.join(';\n'));
    isChanged ||= statements.length > 0;
    const at = `${of}.${quoted(table.name)}`;
    const isKept = new Set([...kept, ...partitions].map(({ experiment }) => experiment));
    const gone = there.partitions.filter((one) => one.table === table.name && !isKept.has(one.experiment));
    for (const { experiment } of gone) await server.run(`DELETE FROM ${at}${whereOf(experiment)}`);
    if (partitions.length > 0) await replace(at, staging, { table, partitions }, server);
    publication.signal.throwIfAborted();
  }
  return isChanged;
}

/** Rows with a key stay as they are where they did not change, so that PostgreSQL has less to clean up. */
async function replace(
  at: string,
  staging: string,
  { table: { columns, key }, partitions }: { readonly table: Table; readonly partitions: readonly PartitionThere[] },
  server: Server,
): Promise<void> {
  const names = columns.map(({ name }) => quoted(name));
  const list = names.join(', ');
  const ofParts = partitions.every(({ experiment }) => experiment === '')
    ? 'true'
    : `t.experiment_id IN (${partitions.map(({ experiment }) => literal(experiment)).join(', ')})`;
  const sameKey = key.map((name) => `s.${quoted(name)} = t.${quoted(name)}`).join(' AND ');
  const row = (of: string) => `ROW(${names.map((name) => `${of}.${name}`).join(', ')})`;
  const isSame = `EXISTS (SELECT FROM ${staging} s WHERE ${sameKey} AND ${row('s')} IS NOT DISTINCT FROM ${row('t')})`;
  const isThere = `EXISTS (SELECT FROM ${at} t WHERE ${sameKey})`;
  await server.run(`DELETE FROM ${at} t WHERE ${ofParts}${key.length > 0 ? ` AND NOT ${isSame}` : ''}`);
  await server.run(
    `INSERT INTO ${at} (${list}) SELECT ${list} FROM ${staging} s${key.length > 0 ? ` WHERE NOT ${isThere}` : ''}`,
  );
  await server.run(`DROP TABLE ${staging}`);
}

function whereOf(experiment: string): string {
  return experiment === '' ? '' : ` WHERE experiment_id = ${literal(experiment)}`;
}

/** Reads back what the table holds now. @throws WarehouseError where it is not what the SQLite file has. */
async function compare({ job: { table }, partitions, isThere }: Staged, { server, schema }: Work): Promise<void> {
  if (!isThere) return;
  const [valuesOf, recordOf] = [lineReader(table.columns), recordReader(table)];
  const list = table.columns.map(({ name }) => quoted(name)).join(', ');
  for (const { experiment, rows, digest } of partitions) {
    const found = beginDigest();
    const from = `${quote(schema)}.${quoted(table.name)}${whereOf(experiment)}`;
    for await (const lines of server.receive(`COPY (SELECT ${list} FROM ${from}) TO STDOUT`))
      for (const line of lines) found.add(recordOf(valuesOf(line)));
    const now = found.end();
    if (now.rows === rows && now.sha256 === digest) continue;
    const what = `${table.name}${experiment === '' ? '' : ` of ${experiment}`}`;
    throw new WarehouseError(
      'PUBLISH_FAILED',
      `What ${server.place} holds of ${what} is not what was sent (${now.rows} rows of ${rows}): nothing new is published.`,
      { hint: 'Look for triggers or rules on the table, which may change rows.' },
    );
  }
}

async function keepPartitions(
  server: Server,
  schema: string,
  {
    made,
    gone,
    published,
  }: { readonly made: readonly PartitionThere[]; readonly gone: readonly PartitionThere[]; readonly published: string },
): Promise<void> {
  const at = `${quote(schema)}.${PARTITIONS}`;
  await server.run(
    `DELETE FROM ${at} p USING json_to_recordset($1::json) AS d ("table" text, experiment text)
     WHERE p.table_name = d."table" AND p.experiment_id = d.experiment`,
    [JSON.stringify([...made, ...gone])],
  );
  await server.run(
    `INSERT INTO ${at} SELECT "table", experiment, rows, digest, width, columns, mark, "leftOut", $2::timestamptz
     FROM json_to_recordset($1::json) AS d ("table" text, experiment text, rows bigint, digest text, width integer,
       columns text, mark text, "leftOut" text)`,
    [JSON.stringify(made), published],
  );
}

/** Lets PostgreSQL overwrite rows that are no longer there, as they may be those of people who were erased. */
async function sweep(server: Server, tables: readonly string[]): Promise<string[]> {
  const unswept: string[] = [];
  for (const table of tables) {
    try {
      await server.run(`VACUUM ${table}`);
    } catch (error) {
      if (error instanceof WarehouseError && error.code === 'INTERRUPTED') throw error;
      unswept.push(table);
    }
  }
  return unswept;
}
