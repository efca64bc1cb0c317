import { z } from 'zod';
import { withoutSignature } from '../../src/datasets/addresses.ts';
import { snakeCase, type Dataset } from '../../src/datasets/define.ts';
import { encodePart } from '../../src/datasets/mixed.ts';
import type { SqlValue } from '../../src/datasets/values.ts';
import type { Json, JsonObject } from '../../src/shared/json.ts';

const Cell = z.json();
export type Cell = z.infer<typeof Cell>;

/** What a call of the official SDK gave, as published_answers.py prints it: a DataFrame by rows, or its error. */
export const Outcome = z.object({
  columns: z.array(z.string()).default([]),
  rows: z.array(z.record(z.string(), Cell)).default([]),
  warnings: z.array(z.string()).default([]),
  error: z.object({ message: z.string(), code: z.string(), status: z.number().nullable() }).optional(),
});
export type Outcome = z.infer<typeof Outcome>;
type FrameRow = Outcome['rows'][number];

/** A column that the SDK computes and no answer holds (`_dataframe.py`): onset in seconds. */
export const DERIVED = 'onset_sec';

/**
 * What a data type's view must hold where the SDK's DataFrame has this row. The SDK promotes the members of `metadata`
 * and `sparseRatingData` to columns (`metadata_type`), as the view does with each object. It turns some times into
 * datetimes and leaves others as text; in the view each is ISO 8601 in UTC.
 */
export function asViewRow(dataset: Dataset, row: FrameRow): Record<string, SqlValue> {
  const cells = Object.entries(row).filter(([name]) => name !== DERIVED);
  return Object.fromEntries(
    cells.flatMap(([name, cell]): [string, SqlValue][] => {
      const columns = dataset.columns.filter(({ field }) => field === name);
      if (columns.length === 0) return [[snakeCase(name), asSql(cell)]];
      return columns.map(({ name: column, spec, part }) => [
        column,
        part === undefined ? asSql(cell, spec) : encodePart(part, cell as Json),
      ]);
    }),
  );
}

/** How a view holds a value of JSON. */
export function asSql(cell: Cell | undefined, spec?: Dataset['columns'][number]['spec']): SqlValue {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === 'boolean') return Number(cell);
  if (typeof cell === 'object') return JSON.stringify(cell);
  if (typeof cell === 'number') return cell;
  if (spec?.kind === 'time') return new Date(cell).toISOString();
  return spec?.volatile === true ? withoutSignature(cell) : cell;
}

/** The values of a record and of the objects in it under the names that a view gives them. */
export function asViewNames(record: JsonObject): Record<string, Json> {
  const members = (prefix: string, object: JsonObject): [string, Json][] =>
    Object.entries(object).map(([name, value]) => [snakeCase(`${prefix}${name}`), value]);
  const nested = Object.entries(record).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? members(`${name}_`, value as JsonObject)
      : [],
  );
  return Object.fromEntries([...members('', record), ...nested]);
}

/** Comma-separated values (RFC 4180) by row and column. */
export function parseCsv(text: string): Record<string, string>[] {
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g;
  const lines: string[][] = [[]];
  for (const [, quoted, bare = '', end] of text.matchAll(cells)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end !== ',') lines.push([]);
  }
  const [head = [], ...rows] = lines.slice(0, -1);
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ''])));
}
