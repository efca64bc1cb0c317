import { createHash } from 'node:crypto';
import { openSync, readSync, closeSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { SqlValue } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import { beginDigest, type Digest } from '../certificate/digest.ts';
import { openParquet } from '../snapshot/parquet.ts';
import { tablesIn, type Table } from '../snapshot/tables.ts';
import { columnsMark, readMarks } from './marks.ts';
import type { LakeTable, Partition } from './manifest.ts';
import { isOfExperiments, recordReader } from './records.ts';

/** A file ends after so many rows or bytes: engines read several at once, and one that is full rarely changes again. */
const [MOST_ROWS, MOST_BYTES] = [1_000_000, 64_000_000];

/** After so many rows the process does what else there is to do, such as to notice that it is interrupted. */
const ROWS_A_TURN = 2000;

/** A file that was made and is not yet where it belongs. */
export interface Made {
  /** Where it was made. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
}

/** A partition as it is in the warehouse now: one that was published like that, or the files that were made of it. */
export type Drafted =
  { readonly former: Partition } | { readonly made: Omit<Partition, 'files'>; readonly files: Made[] };

export interface Drafting {
  readonly experiments: readonly string[];
  /** What was published before; none where everything is to be written. */
  readonly former: readonly Partition[];
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly rows: (table: string, written: number, of: number) => void;
}

/** All tables with rows of experiments, and their partitions; those that changed are written into a folder. */
export async function draft(db: Db, drafting: Drafting): Promise<{ tables: LakeTable[]; partitions: Drafted[] }> {
  const marks = readMarks(db);
  const former = new Map(drafting.former.map((one) => [placeOf(one), one]));
  const tables = new Map<string, LakeTable>();
  const partitions: Drafted[] = [];
  let made = 0;
  for (const experiment of drafting.experiments) {
    for (const table of tablesIn(db, [experiment]).filter(isOfExperiments)) {
      if (!tables.has(table.name)) tables.set(table.name, described(table));
      const rows = table.count();
      if (rows === 0) continue;
      const before = former.get(placeOf({ table: table.name, experiment }));
      const mark = marks.of(table.name, experiment, rows);
      if (before?.mark === mark && columnsMark(table.columns, before.width) === before.columns) {
        partitions.push({ former: before });
        continue;
      }
      made += 1;
      const { digest, files } = await write(table, rows, join(drafting.folder, String(made)), drafting);
      partitions.push({
        made: {
          table: table.name,
          experiment,
          rows: digest.rows,
          digest: digest.sha256,
          width: table.columns.length,
          columns: columnsMark(table.columns),
          mark,
        },
        files,
      });
    }
  }
  return { tables: [...tables.values()], partitions };
}

export function placeOf({ table, experiment }: Pick<Partition, 'table' | 'experiment'>): string {
  return JSON.stringify([table, experiment]);
}

function described({ name, about, columns, key }: Table): LakeTable {
  return {
    name,
    description: about,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.isBoolean ? 'BOOLEAN' : column.type,
      ...(column.unit !== null && { unit: column.unit }),
      description: column.meaning,
      missing: column.missing,
    })),
    primaryKey: [...key],
  };
}

/** Writes the rows of a partition into files, and computes the digest of their records, in one reading. */
async function write(
  table: Table,
  of: number,
  start: string,
  { signal, rows: report }: Drafting,
): Promise<{ digest: Digest; files: Made[] }> {
  const recordOf = recordReader(table);
  const digest = beginDigest();
  const files: Made[] = [];
  let sink: ReturnType<typeof openFile> | undefined;
  let rows = 0;
  report(table.name, 0, of);
  for (const row of table.rows()) {
    sink ??= openFile(`${start}-${files.length}.parquet`, table);
    sink.write(row);
    digest.add(recordOf(row));
    rows += 1;
    if (sink.isFull()) {
      files.push(sink.close());
      sink = undefined;
    }
    if (rows % ROWS_A_TURN > 0) continue;
    report(table.name, rows, of);
    await turn();
    signal.throwIfAborted();
  }
  if (sink !== undefined) files.push(sink.close());
  report(table.name, rows, of);
  await turn();
  signal.throwIfAborted();
  return { digest: digest.end(), files };
}

function openFile(file: string, table: Table) {
  rmSync(file, { force: true });
  const parquet = openParquet(file, table);
  let rows = 0;
  return {
    write(row: readonly SqlValue[]) {
      parquet.write(row);
      rows += 1;
    },
    isFull: () => rows >= MOST_ROWS || parquet.bytes() >= MOST_BYTES,
    close(): Made {
      parquet.close();
      return { file, sha256: sha256Of(file), bytes: statSync(file).size, rows };
    },
  };
}

function sha256Of(path: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
