import { z } from 'zod';
import { queryRows, queryValues } from '../../shared/sqlite.ts';
import { VERSION } from '../../shared/version.ts';
import type { Db } from '../../warehouse/open.ts';
import type { Treated } from './deidentify/deidentify.ts';
import type { WrittenFile, WrittenTable } from './format.ts';
import { Account, tablesOfFile, type Field, type Manifest, type Resource, type Schema } from './manifest.ts';
import { TIME, type Column } from './tables.ts';

/** How a format says what is in its files. */
export interface Described {
  readonly format: 'sqlite' | 'csv' | 'parquet';
  readonly mediatype: string;
  /** Of CSV files only. */
  readonly csv?: { readonly delimiter: string; readonly decimal: string; readonly none: string };
}

/** A file of the snapshot as the manifest has it. */
export function resourceOf(
  { path, tables }: WrittenFile,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
  described: Described,
): Resource {
  const { format, mediatype, csv } = described;
  const found = { path, bytes, hash: `sha256:${sha256}` };
  const file = { ...found, format, mediatype };
  const [only] = tables;
  if (only === undefined) return { ...found, ...textFile(path) };
  if (format === 'sqlite') {
    return {
      name: 'data',
      description: 'All tables, and the views for readers.',
      ...file,
      tables: tables.map((table) => ({
        name: table.name,
        description: table.about,
        rows: table.rows,
        schema: schemaOf(table, described),
      })),
    };
  }
  return {
    name: only.name,
    description: only.about,
    ...file,
    ...(csv && { encoding: 'utf-8', dialect: { delimiter: csv.delimiter, lineTerminator: '\r\n' } }),
    rows: only.rows,
    schema: schemaOf(only, described),
  };
}

/** A file about the others. */
function textFile(path: string) {
  const about = { name: path.toLowerCase(), description: 'About the data set.' };
  return path.endsWith('.json')
    ? { ...about, format: 'json' as const, mediatype: 'application/json' }
    : { ...about, format: 'markdown' as const, mediatype: 'text/markdown' };
}

function schemaOf({ columns, key }: WrittenTable, { csv }: Described): Schema {
  return {
    fields: columns.map((column) => fieldOf(column, key.includes(column.name), csv)),
    ...(key.length > 0 && { primaryKey: [...key] }),
    ...(csv && { missingValues: [csv.none] }),
  };
}

function fieldOf(column: Column, isKey: boolean, csv: Described['csv']): Field {
  const { name, unit, isBoolean, meaning, missing } = column;
  const type = typeOf(column);
  return {
    name,
    type,
    description: meaning,
    missing,
    ...(unit !== null && { unit }),
    ...(isKey && { constraints: { required: true as const } }),
    ...(csv && isBoolean && { trueValues: ['1'], falseValues: ['0'] }),
    ...(csv && type === 'number' && csv.decimal !== '.' && { decimalChar: csv.decimal }),
  };
}

function typeOf({ type, unit, isBoolean }: Column): string {
  if (isBoolean) return 'boolean';
  if (type === 'TEXT') return unit === TIME ? 'datetime' : 'string';
  return type === 'INTEGER' ? 'integer' : 'number';
}

/** What is known of the experiments' data: how they were accounted for and verified. */
export function accountingOf(db: Db, experiments: readonly string[]): Account[] {
  const sql = `SELECT experiment_id AS experiment, data, count(*) AS streams, min(complete) AS complete, sum(rows) AS rows,
      sum(api_total) AS apiTotal, sum(quarantined_records) AS quarantined, sum(withheld_rows) AS withheld,
      sum(missing_rows) AS missing, min(data_as_of) AS dataAsOf, min(verified_at) AS verifiedAt, min(accounted_at) AS accountedAt
    FROM _freshness WHERE experiment_id IN (SELECT value FROM json_each(?)) GROUP BY 1, 2 ORDER BY 1, 2`;
  return queryRows(db, sql, Account).all(JSON.stringify(experiments));
}

/** What the snapshot is, besides its files. */
export interface About {
  readonly name: string;
  readonly created: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly experiments: readonly string[];
  readonly isComplete: boolean;
  readonly unreadable: readonly string[];
  readonly lacks: readonly string[];
  readonly accounting: readonly Account[];
  readonly withoutViews: readonly string[];
  readonly deidentified?: readonly Treated[] | undefined;
}

/** What a snapshot is, in a sentence. */
export function summaryOf(experiments: readonly string[]): string {
  return `A snapshot of HyperStudy data: ${experiments.join(', ')}.`;
}

export function manifestOf(db: Db, about: About, resources: readonly Resource[]): Manifest {
  const { name, created, options, experiments, isComplete, lacks, unreadable, accounting, withoutViews, deidentified } =
    about;
  const rows = resources.flatMap(tablesOfFile).reduce((sum, one) => sum + one.rows, 0);
  return {
    profile: 'data-package',
    // The standard wants small letters.
    name: name.toLowerCase(),
    title: name,
    description: `${summaryOf(experiments)} ${rows} rows.`,
    created,
    resources: [...resources],
    hyperstudy: {
      product: 'HyperStudy Warehouse',
      version: VERSION,
      schemaVersion: schemaVersion(db),
      options: { ...options },
      experiments: [...experiments],
      complete: isComplete,
      lacks: [...lacks],
      unreadable: [...unreadable],
      accounting: [...accounting],
      withoutViews: [...withoutViews],
      ...(deidentified && { deidentified: [...deidentified] }),
    },
  };
}

function schemaVersion(db: Db): string {
  return queryValues(db, "SELECT value FROM _about WHERE name = 'schema_version'", z.string()).get() ?? '';
}
