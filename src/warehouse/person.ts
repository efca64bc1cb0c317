import type { Dataset } from '../datasets/define.ts';
import type { Row } from '../datasets/normalise.ts';
import { whose } from '../derive/whose.ts';
import { isObject, parseJson, textOfJson, type JsonObject } from '../shared/json.ts';
import { quote } from '../shared/sqlite.ts';
import { heldIn, heldNames, storedValues, type Held } from './held.ts';

/*
 * Where a person is found in the warehouse: as the one whom a row is about, or who wrote it, and by their id anywhere.
 */

/** A participant. Ids may be unique within a room only. */
export interface Person {
  readonly participant: string;
  readonly room?: string | undefined;
}

/** A function that gives the room of a row, and everyone whose it is: the person it is about, and who wrote it. */
export function placesOf(
  dataset: Dataset,
): (row: Pick<Row, 'values' | 'extra'>) => { room?: string; people: string[] } {
  const { room, participant } = whose(dataset);
  const indexOf = (name: string | undefined) => dataset.columns.findIndex((column) => column.name === name);
  const roomAt = indexOf(room);
  const authors = dataset.columns.filter(({ spec }) => spec.isAuthor === true).map(({ name }) => name);
  const peopleAt = [participant, ...authors].map(indexOf).filter((at) => at >= 0);
  return ({ values, extra }) => {
    const left = extra === null ? {} : parseJson(extra);
    // A value of another type than its column's is in `extra`.
    const valueAt = (at: number) => {
      const value = values[at] ?? (isObject(left) ? left[dataset.columns[at]?.field ?? ''] : undefined);
      return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
    };
    const [ofRoom] = roomAt < 0 ? [] : valueAt(roomAt);
    return { ...(ofRoom === undefined ? {} : { room: ofRoom }), people: peopleAt.flatMap(valueAt) };
  };
}

/** A former version of a row, from the JSON of `_history`, and all that this has. */
export function formerRow(dataset: Dataset, record: string): { row: Row; values: JsonObject } {
  const former = parseJson(record);
  const values = isObject(former) ? former : {};
  const valueOf = (name: string) => {
    const value = values[name];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  };
  const row: Row = {
    dataset,
    key: '',
    needsOrdinal: false,
    time: undefined,
    ...heldIn(heldNames(dataset).map(valueOf)),
  };
  return { row, values };
}

/** The JSON of `_history` for a former version that now says something else. */
export function formerRecord(dataset: Dataset, values: JsonObject, now: Held): string {
  const stored = storedValues(dataset, now);
  return textOfJson({
    ...values,
    ...Object.fromEntries(heldNames(dataset).map((name, i) => [name, stored[i] ?? null])),
  });
}

/** The columns of a data type's table that may hold an id. */
export function textsOf({ columns }: Dataset): string[] {
  return [...columns.filter(({ type }) => type === 'TEXT').map(({ name }) => name), 'extra'];
}

/**
 * An SQL condition: one of these columns may hold the id, in whatever way JSON, JSON in a text of JSON, or an address
 * writes it. An id that is unique within a room only has to stand in a line that names the room as well.
 */
export function mentions(columns: readonly string[]): string {
  const holds = (word: string) => columns.map((name) => `instr(${quote(name)}, @${word}) > 0`).join(' OR ');
  return `(${holds('id')}) AND (@room IS NULL OR ${holds('room')})`;
}

/** The parameters of `mentions`. */
export function wordsOf({ participant, room }: Person) {
  return { id: sameEverywhere(participant), room: room === undefined ? null : sameEverywhere(room) };
}

/** The longest part of a text that no escape changes; what it is found in is looked at as a whole. */
function sameEverywhere(text: string): string {
  const parts = text.match(/[A-Za-z0-9_.-]+/g) ?? [''];
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest));
}
