import { isSameRow } from '../datasets/content.ts';
import type { Dataset } from '../datasets/define.ts';
import { denormalise, normalise, type Row } from '../datasets/normalise.ts';
import { fallbackValues } from '../datasets/fallbacks.ts';
import type { Stream } from '../datasets/stream.ts';
import { isObject, parseJson } from '../shared/json.ts';
import { queryLists, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { heldColumns, heldIn, type Held } from './held.ts';

type Fill = Readonly<Record<string, string | boolean>>;

/** The columns that were filled although the record lacks their field. */
export function filledIn({ columns }: Dataset, { values, extra }: Held): Fill {
  const parsed = extra === null ? null : parseJson(extra);
  const absent = parsed !== null && isObject(parsed) ? parsed['$absent'] : undefined;
  const fields = new Set(Array.isArray(absent) ? absent : []);
  return Object.fromEntries(
    columns.flatMap(({ field, spec }, i): [string, string | boolean][] => {
      const value = values[i];
      if (!fields.has(field) || value === null || value === undefined) return [];
      if (spec.kind === 'boolean') return [[field, value === 1]];
      return typeof value === 'string' ? [[field, value]] : [];
    }),
  );
}

/**
 * The row that this version makes of a stored record; undefined if it would be malformed.
 * @param fill the values that are known from requests.
 */
export function refilled(dataset: Dataset, experimentId: string, held: Held, fill: Fill): Row | undefined {
  const record = denormalise(dataset, { experimentId, ...held });
  const row = normalise(dataset, record, { experimentId, fill: { ...fallbackValues(dataset, record), ...fill } });
  return 'reason' in row ? undefined : row;
}

/**
 * Rows with the room and participant that an earlier request gave them. The answer for a room implies the room of
 * records that do not name it, the answer for the experiment does not. A known value is kept, so that an unchanged
 * record stays unchanged, however it was requested. If a record is in the answers of two rooms, the first room is kept.
 */
export function withKnownScope(db: Db, { experimentId, dataset }: Stream, rows: readonly Row[]): readonly Row[] {
  // If a data type is only requested by room, every request implies the same.
  if (!dataset.scopes.includes('experiment') || rows.every(({ unnamed }) => unnamed === undefined)) return rows;
  const find = queryLists(
    db,
    `SELECT ${heldColumns(dataset)} FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`,
  );
  return rows.map((row) => {
    const stored = row.unnamed === undefined ? undefined : find.get(experimentId, row.key);
    if (stored === undefined) return row;
    const held = heldIn(stored);
    const known = Object.fromEntries(
      Object.entries(filledIn(dataset, held)).filter(([field]) => row.unnamed?.includes(field) === true),
    );
    if (Object.keys(known).length === 0 || isSameRow(dataset, row, held)) return row;
    const now = filledIn(dataset, row);
    const asKnown = withFill(dataset, experimentId, row, { ...now, ...known });
    return isSameRow(dataset, asKnown, held) ? asKnown : withFill(dataset, experimentId, row, { ...known, ...now });
  });
}

function withFill(dataset: Dataset, experimentId: string, row: Row, fill: Fill): Row {
  const { values, extra } = refilled(dataset, experimentId, row, fill) ?? row;
  return { ...row, values, extra };
}
