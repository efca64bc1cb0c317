import { setImmediate as turn } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivate } from '../../shared/private-files.ts';
import type { Db } from '../../warehouse/open.ts';
import { csvFiles } from './csv.ts';
import { EXACT, EXCEL } from '../csv.ts';
import { accountingOf, manifestOf, resourceOf, summaryOf, type Described } from './describe.ts';
import { deidentify, type Deidentification } from './deidentify/deidentify.ts';
import { fileDigest, syncFile } from './files.ts';
import type { Writing, WrittenTable } from './format.ts';
import { MANIFEST_NAMES, type Manifest } from './manifest.ts';
import { parquetFiles } from './parquet.ts';
import { buildFolder } from './place.ts';
import { psychDsFiles } from './psych-ds.ts';
import { sqliteFile } from './sqlite.ts';
import { indexesOf, tablesIn, viewsIn, type Table } from './tables.ts';

export const FORMATS = ['sqlite', 'csv', 'parquet', 'psych-ds'] as const;
export type Format = (typeof FORMATS)[number];

/** What is to be made. */
export interface Wanted {
  readonly name: string;
  /** The folder that the snapshot is to be. */
  readonly target: string;
  readonly format: Format;
  /** Whether CSV files are for spreadsheets. */
  readonly isForExcel: boolean;
  readonly experiments: readonly string[];
  readonly lacks: readonly string[];
  readonly isComplete: boolean;
  /** Data types that the key may not read. */
  readonly unreadable: readonly string[];
  readonly created: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Undefined: everything as it is. */
  readonly deidentification?: Deidentification | undefined;
}

/** How far it is. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Rows of a table were written; `of` all of its rows. */
  readonly rows: (table: string, written: number, of: number) => void;
}

/** After so many rows the process does what else there is to do, such as to notice that it is interrupted. */
const ROWS_A_TURN = 2000;

/**
 * Writes a snapshot: all tables for readers, and a manifest that describes and proves them. Call it in a transaction, so
 * that all of it is one state of the data.
 */
export function makeSnapshot(db: Db, wanted: Wanted, watch: Watch): Promise<Manifest> {
  return buildFolder(wanted.target, async (folder) => {
    const content = contentOf(db, wanted);
    const writing = begin(db, folder, wanted);
    try {
      const written: WrittenTable[] = [];
      for (const table of content.tables) {
        const { name, about, columns, key } = table;
        written.push({ name, about, columns, key, rows: await copy(table, writing, watch) });
      }
      const files = writing.finish(written);
      const resources = [];
      for (const file of files) {
        const path = join(folder, file.path);
        syncFile(path);
        resources.push(resourceOf(file, await fileDigest(path, watch.signal), describedBy(wanted)));
      }
      const accounting = accountingOf(db, wanted.experiments);
      const manifest = manifestOf(db, { ...wanted, ...content.about, accounting }, resources);
      for (const name of MANIFEST_NAMES) writeManifest(join(folder, name), manifest);
      watch.signal.throwIfAborted();
      return manifest;
    } catch (error) {
      writing.abandon();
      // What a stream says when it is stopped says less.
      watch.signal.throwIfAborted();
      throw error;
    }
  });
}

/** The tables, and what is said of them as a whole. */
function contentOf(db: Db, { experiments, lacks, deidentification }: Wanted) {
  const tables = tablesIn(db, experiments);
  if (deidentification === undefined) return { tables, about: { lacks, withoutViews: [] } };
  const { tables: treated, report, scrub } = deidentify(db, tables, deidentification);
  const withoutViews = viewsIn(db).map(({ name }) => name);
  return { tables: treated, about: { lacks: lacks.map(scrub), withoutViews, deidentified: report } };
}

function begin(db: Db, folder: string, wanted: Wanted): Writing {
  const { name, format, isForExcel, deidentification, experiments, created } = wanted;
  switch (format) {
    case 'sqlite':
      // Views and indexes are of columns that may not be there.
      if (deidentification !== undefined)
        return sqliteFile(folder, `${name}.sqlite`, { views: [], indexesOf: () => [] });
      return sqliteFile(folder, `${name}.sqlite`, { views: viewsIn(db), indexesOf: (table) => indexesOf(db, table) });
    case 'csv':
      return csvFiles(folder, isForExcel ? EXCEL : EXACT);
    case 'parquet':
      return parquetFiles(folder);
    case 'psych-ds':
      return psychDsFiles(folder, { name, created, description: summaryOf(experiments) });
  }
}

function describedBy(wanted: Wanted): Described {
  const { format, isForExcel } = wanted;
  if (format === 'sqlite') return { format, mediatype: 'application/vnd.sqlite3' };
  if (format === 'parquet') return { format, mediatype: 'application/vnd.apache.parquet' };
  if (format === 'psych-ds') return describedBy({ ...wanted, format: 'csv' });
  const { separator: delimiter, decimal, none } = isForExcel ? EXCEL : EXACT;
  return { format, mediatype: 'text/csv', csv: { delimiter, decimal, none } };
}

async function copy(table: Table, writing: Writing, { signal, rows: report }: Watch): Promise<number> {
  const all = table.count();
  const sink = writing.open(table);
  let rows = 0;
  report(table.name, 0, all);
  for (const row of table.rows()) {
    sink.write(row);
    rows += 1;
    if (rows % ROWS_A_TURN > 0) continue;
    report(table.name, rows, all);
    await turn();
    signal.throwIfAborted();
  }
  sink.close();
  report(table.name, rows, all);
  await turn();
  signal.throwIfAborted();
  return rows;
}

function writeManifest(path: string, manifest: Manifest): void {
  createPrivate(path);
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
  syncFile(path);
}
