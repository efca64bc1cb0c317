import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { createPrivate } from '../../shared/private-files.ts';
import type { SqlValue } from '../../shared/sqlite.ts';
import { VERSION } from '../../shared/version.ts';
import { fileName, type Sink, type Writing } from './format.ts';
import { TIME, type Column, type Table } from './tables.ts';

/** Rows that are held in memory; readers skip whole groups of them by their smallest and largest values. */
const ROWS_A_GROUP = 10_000;

/** A Parquet file for each table: exact types, times in UTC, JSON as the text that it is. */
export function parquetFiles(folder: string): Writing {
  return {
    open: (table) => openParquet(join(folder, fileName(table.name, 'parquet')), table),
    finish: (tables) => tables.map((table) => ({ path: fileName(table.name, 'parquet'), tables: [table] })),
    // Each write opens the file and closes it.
    abandon: () => undefined,
  };
}

/** A file that is being written. */
export interface ParquetSink extends Sink {
  /** How many bytes were written, without the rows that are still in memory. */
  bytes(): number;
}

export function openParquet(path: string, { name, columns }: Pick<Table, 'name' | 'columns'>): ParquetSink {
  createPrivate(path);
  const writer = fileWriter(path);
  const parquet = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)],
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes) },
    createdBy: `HyperStudy Warehouse ${VERSION}`,
  });
  const readers = columns.map((column) => valueOf(name, column));
  let held = columns.map((): unknown[] => []);
  let rows = 0;
  const flush = () => {
    const columnData = columns.map((column, i) => ({ name: column.name, data: held[i] ?? [] }));
    void parquet.write({ columnData, rowGroupSize: ROWS_A_GROUP });
    held = columns.map(() => []);
    rows = 0;
  };
  return {
    write(row) {
      for (const [i, read] of readers.entries()) held[i]?.push(read(row[i] ?? null));
      rows += 1;
      if (rows === ROWS_A_GROUP) flush();
    },
    close() {
      if (rows > 0) flush();
      void parquet.finish();
    },
    bytes: () => writer.offset,
  };
}

function elementOf(column: Column): SchemaElement {
  const { name, isRequired } = column;
  const of = { name, repetition_type: isRequired ? ('REQUIRED' as const) : ('OPTIONAL' as const) };
  if (column.isBoolean) return { ...of, type: 'BOOLEAN' };
  if (column.type === 'REAL') return { ...of, type: 'DOUBLE' };
  if (column.type === 'INTEGER') return { ...of, type: 'INT64' };
  if (column.unit !== TIME)
    return { ...of, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  // Without the last, polars and Spark read a time without a zone.
  const logical_type = { type: 'TIMESTAMP', unit: 'MILLIS', isAdjustedToUTC: true } as const;
  return { ...of, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type };
}

/** How a value of a column is given to the writer. */
function valueOf(table: string, { name, type, unit, isBoolean }: Column): (value: SqlValue) => unknown {
  const present = (convert: (value: string | number) => unknown) => (value: SqlValue) =>
    value === null ? null : convert(value);
  if (isBoolean) return present((value) => value === 1);
  if (type === 'INTEGER') return present((value) => BigInt(value));
  if (type === 'REAL' || unit !== TIME) return (value) => value;
  // The times of when rows were read repeat, often thousands of times.
  let [last, read]: [SqlValue, bigint | null] = [null, null];
  return (value) => {
    if (value !== last) [last, read] = [value, value === null ? null : timeOf(table, name, String(value))];
    return read;
  };
}

/** Milliseconds since 1970. @throws Error for a text in another form, as it could not be got back. */
function timeOf(table: string, column: string, text: string): bigint {
  const ms = Date.parse(text);
  if (text.length === 24 && text.endsWith('Z') && !Number.isNaN(ms)) return BigInt(ms);
  throw new Error(`${table}.${column} holds a time that Parquet cannot store: ${text}`);
}
