import { datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import type { Db } from '../../src/warehouse/open.ts';
import { records } from '../../src/warehouse/records.ts';

/** What a table holds of a data type. */
export function heldRecords(db: Db, data: string): SimRecord[] {
  return [...records(db, datasetNamed(data))].map(({ record }) => record);
}

/** What a table holds of a data type, each record as text; times as instants. */
export function mirrored(db: Db, data: string, unsaid: readonly string[] = []): string[] {
  return heldRecords(db, data)
    .map((record) => textOf(record, unsaid))
    .sort();
}

/**
 * A record as text in which the form of its times makes no difference: the API may show them in several.
 * @param unsaid fields to leave out.
 */
export function textOf(record: Json | SimRecord, unsaid: readonly string[] = []): string {
  const members = Object.entries(record as Record<string, Json>).filter(([key]) => !unsaid.includes(key));
  return canonicalJson(Object.fromEntries(members.map(([key, value]) => [key, comparable(value)])));
}

function comparable(value: Json): Json {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return value;
  const time = Date.parse(value);
  return Number.isNaN(time) ? value : time;
}

/** How often each text occurs. */
export function counted(texts: readonly string[]): Map<string, number> {
  return texts.reduce((counts, text) => counts.set(text, (counts.get(text) ?? 0) + 1), new Map<string, number>());
}

/** How a table differs from what the API holds, record by record; undefined when it is the truth. */
export function difference(
  db: Db,
  data: string,
  records: readonly SimRecord[],
  unsaid: readonly string[] = [],
): string | undefined {
  const held = mirrored(db, data, unsaid);
  const truth = records.map((record) => textOf(record, unsaid)).sort();
  if (held.join('\n') === truth.join('\n')) return undefined;
  if (isUncountable(db, data) && holdsEach(held, truth)) return undefined;
  const [there, told] = [new Set(held), new Set(truth)];
  const lacks = truth.filter((record) => !there.has(record));
  const extra = held.filter((record) => !told.has(record));
  const example = lacks[0] ?? extra[0] ?? '';
  return `${data}: ${held.length} rows for ${truth.length} records, ${lacks.length} missing, ${extra.length} extra, such as ${example}`;
}

/**
 * Exact repeats in a crowd whose order changes in every answer cannot be counted, and on doubt nothing is deleted: such a
 * stream says that it is incomplete, lacks no record, and invents no repeat.
 */
export function isUncountable(db: Db, data: string): boolean {
  const reasons = db
    .prepare<[string], string>('SELECT reason FROM _streams WHERE data = ? AND reason IS NOT NULL')
    .pluck()
    .all(data);
  return reasons.some((reason) => reason.includes('their order changes'));
}

/** Whether each record of the truth is held at least once, and none more often than it occurs, or once if it is gone. */
function holdsEach(held: readonly string[], truth: readonly string[]): boolean {
  const [there, told] = [counted(held), counted(truth)];
  return (
    [...told.keys()].every((record) => there.has(record)) &&
    [...there].every(([record, count]) => count <= (told.get(record) ?? 1))
  );
}
