/** Who is measured: each reads the same stream from the same server into a folder of its own. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { queryIndexesOf } from '../src/datasets/define.ts';
import { ratingsContinuous } from '../src/datasets/ratings-continuous.ts';
import { openEmpty } from '../src/warehouse/migrate.ts';
import type { FloorSchema } from './floor.ts';
import { measure, type Command } from './measure.ts';
import { EXPERIMENT, type Changes } from './server.ts';

/** read: the first read · poll: again, for what is new · full: everything again. */
export type Mode = 'read' | 'poll' | 'full';

/** How many rows it holds, and how many upstream changes of each kind these show. */
export interface Noticed {
  readonly rows: number;
  readonly late: number;
  readonly edited: number;
  readonly deleted: number;
}

/** Where to look for which upstream changes. */
export interface Seen {
  readonly folder: string;
  readonly url: string;
  readonly changes: Changes;
}

export interface Contender {
  readonly name: string;
  /** The file, or the files, that it leaves. */
  readonly files: readonly string[];
  /** Prepares an empty folder. */
  readonly prepare: (folder: string, url: string) => void;
  readonly command: (mode: Mode, folder: string, url: string) => Command;
  /** Finds out what was noticed. */
  readonly look: (at: Seen) => Promise<Noticed>;
}

const HERE = import.meta.dirname;
const NODE = process.execPath;
export const MAIN = join(HERE, '..', 'dist', 'main.js');
export const KEY = `hst_test_${'b'.repeat(64)}`;

const NOT_MISSING = 'WHERE key NOT IN (SELECT key FROM _missing_rows)';

export const ours: Contender = {
  name: 'hsw',
  files: ['w.db'],
  prepare(folder, url) {
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'config.yaml'),
      `api: { baseUrl: "${url}", limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 } }\n` +
        `warehouse: { path: ./w.db }\nhttp: false\nexperiments: [{ id: ${EXPERIMENT}, data: [ratings/continuous] }]\n`,
    );
  },
  command: (mode, folder) => ({
    ...hsw(folder, 'sync', 'now', ...(mode === 'full' ? ['--full'] : [])),
    // Incomplete until a second reading has confirmed what was deleted.
    statuses: mode === 'read' ? [] : [1],
  }),
  look: ({ folder, changes }) => Promise.resolve(lookInto(join(folder, 'w.db'), changes, NOT_MISSING)),
};

/** A command of the real `hsw`. */
export function hsw(cwd: string, ...args: readonly string[]): Command {
  return { run: [NODE, MAIN, ...args], cwd, env: { HYPERSTUDY_API_KEY: KEY } };
}

export const floor: Contender = {
  name: 'floor (better-sqlite3)',
  files: ['floor.db'],
  prepare(folder) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'schema.json'), JSON.stringify(floorSchema()));
  },
  command: (mode, cwd, url) => ({
    run: [NODE, join(HERE, 'floor.ts'), mode === 'poll' ? 'poll' : 'read', url],
    cwd,
  }),
  look: ({ folder, changes }) => Promise.resolve(lookInto(join(folder, 'floor.db'), changes)),
};

export function peers(python: string): Contender[] {
  const peer = (name: string, script: readonly [string, ...string[]], files: readonly string[]): Contender => {
    const [file, ...args] = script;
    const run = (mode: string, cwd: string, url: string): Command => ({
      run: [python, join(HERE, 'peers', file), ...args, mode, url],
      cwd,
      env: { RUNTIME__DLTHUB_TELEMETRY: 'false', PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' },
    });
    return {
      name,
      files,
      prepare(folder) {
        mkdirSync(folder);
      },
      command: run,
      async look({ folder, url, changes }) {
        const { stdout } = await measure({ ...run('look', folder, url), input: JSON.stringify(changes) });
        return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Noticed;
      },
    };
  };
  return [
    peer('SDK + pandas', ['sdk_pandas.py'], ['ratings.pickle']),
    peer('sqlite-utils', ['use_sqlite_utils.py'], ['ratings.db']),
    peer('dlt → DuckDB', ['use_dlt.py', 'duckdb'], ['ratings.duckdb']),
    peer('dlt → SQLite', ['use_dlt.py', 'sqlite'], ['ratings.db', 'ratings__bench.db']),
  ];
}

/** The size of what it leaves, in MB. */
export function fileMb(folder: string, { files }: Contender): number {
  const bytes = files.map((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0);
  return bytes.reduce((sum, size) => sum + size, 0) / 1024 ** 2;
}

/** The statements that make our own table, and all of its indexes. */
function floorSchema(): FloorSchema {
  const db = openEmpty();
  const { table } = ratingsContinuous;
  const sql = db
    .prepare<[string], { type: string; sql: string }>(
      'SELECT type, sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL',
    )
    .all(table);
  db.close();
  return {
    table: sql.flatMap(({ type, sql: text }) => (type === 'table' ? [text] : []))[0] ?? '',
    indexes: sql.flatMap(({ type, sql: text }) => (type === 'index' ? [text] : [])),
    queryIndexes: queryIndexesOf(ratingsContinuous).map(
      ({ name, columns }) => `CREATE INDEX ${name} ON ${table} (${columns.join(', ')})`,
    ),
  };
}

/** A row that is marked as missing counts as deleted. */
function lookInto(path: string, { late, edited, deleted }: Changes, missing = ''): Noticed {
  const db = new Database(path, { readonly: true });
  const sql = `SELECT rating_id AS id, value FROM ratings_continuous ${missing}`;
  const held = new Map(
    db
      .prepare<[], { id: string; value: number }>(sql)
      .all()
      .map(({ id, value }) => [id, value]),
  );
  db.close();
  return {
    rows: held.size,
    late: late.filter((id) => held.has(id)).length,
    edited: Object.entries(edited).filter(([id, value]) => held.get(id) === value).length,
    deleted: deleted.filter((id) => !held.has(id)).length,
  };
}
