import { isAmong, type Faults, type Target } from './faults.ts';
import type { Random } from './random.ts';
import type { Readings } from './readings.ts';
import { ApiError } from './reply.ts';
import type { Entry } from './catalogue/entry.ts';
import type { SimRecord } from './life.ts';

export interface Selected {
  /** The page, in the order of the answer. */
  readonly page: readonly SimRecord[];
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
}

/** What decides how a request is answered. */
export interface Selection {
  readonly entry: Entry | undefined;
  readonly query: URLSearchParams;
  readonly readings: Readings;
  readonly random: Random;
  readonly faults: Faults;
  readonly target: Target;
}

/** Filters, sorts and pages records according to the query, the readings and the faults. */
export function selectPage(records: readonly SimRecord[], selection: Selection): Selected {
  const { query, readings, target } = selection;
  const limit = readLimit(query, readings, target.dataType);
  const offset = readCount(query, 'offset', 0);
  const named = fieldFiltered(records, selection);
  const filtered = sorted(timeFiltered(named, selection), selection);
  return { page: filtered.slice(offset, offset + limit), total: filtered.length, offset, limit };
}

function fieldFiltered(
  records: readonly SimRecord[],
  { entry, query, readings, target }: Selection,
): readonly SimRecord[] {
  const reading = readings.fieldFilter[target.dataType];
  return (entry?.filters ?? []).reduce((left, field) => {
    const wanted = query.get(field);
    if (wanted !== null && reading === 'rejected') throw new ApiError(400, `${target.dataType} does not take ${field}`);
    return wanted === null || reading === 'ignored' ? left : left.filter((record) => String(record[field]) === wanted);
  }, records);
}

function timeFiltered(
  records: readonly SimRecord[],
  { entry, query, readings, faults, target }: Selection,
): readonly SimRecord[] {
  const { dataType } = target;
  const reading = readings.timeFilter[dataType];
  const [start, end] = [readTime(query, 'startTime'), readTime(query, 'endTime')];
  const field = entry?.time;
  if (start === undefined && end === undefined) return records;
  if (reading === 'rejected') throw new ApiError(400, `${dataType} does not take startTime or endTime`);
  if (reading === 'ignored' || field === undefined) return records;
  const blind = faults.strike('blindFilter', target);
  return records.filter((record) => {
    const time = timeOf(record, field);
    // A value that is not a time is in no time range.
    if (Number.isNaN(time) || (blind !== undefined && isAmong(blind.to, record))) return false;
    if (start !== undefined && (readings.startTime === 'inclusive' ? time < start : time <= start)) return false;
    return !(end !== undefined && (readings.endTime === 'inclusive' ? time > end : time >= end));
  });
}

/** Caches parsed times: a record never changes, and each request compares all of them. */
const times = new WeakMap<SimRecord, number>();

function timeOf(record: SimRecord, field: string): number {
  let time = times.get(record);
  if (time === undefined) times.set(record, (time = instant(record[field])));
  return time;
}

/** A time as text or, as devices send it, in Unix seconds. */
function instant(value: unknown): number {
  return typeof value === 'number' ? value * 1000 : Date.parse(String(value));
}

function sorted(
  records: readonly SimRecord[],
  { entry, query, readings, random, faults, target }: Selection,
): readonly SimRecord[] {
  const { dataType } = target;
  const asked = query.get('sort') !== null || query.get('order') !== null;
  const reading = readings.sort[dataType];
  if (asked && reading === 'rejected') throw new ApiError(400, `${dataType} cannot be sorted`);
  const field = (reading === undefined ? query.get('sort') : null) ?? entry?.time;
  const order = reading === undefined ? (query.get('order') ?? 'asc') : 'asc';
  if (order !== 'asc' && order !== 'desc') throw new ApiError(400, 'order must be asc or desc');
  if (field === undefined) return records;
  const direction = order === 'asc' ? 1 : -1;
  const isNeeded = query.get('sort') !== null && reading === undefined && faults.strike('sortNeedsField', target);
  const sortable = isNeeded ? records.filter((record) => record[field] !== undefined) : records;
  const keyed = sortable.map((record, place) => ({
    record,
    by: sortKey(record[field]),
    tie: readings.ties === 'stable' ? place : random.next(),
  }));
  return keyed
    .sort((a, b) => direction * compare(a.by, b.by) || direction * (a.tie - b.tie))
    .map(({ record }) => record);
}

function sortKey(value: unknown): string | number {
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readLimit(query: URLSearchParams, { overLimit, maxLimit }: Readings, dataType: string): number {
  const usual = dataType === 'experiments' ? 50 : 100;
  const limit = readCount(query, 'limit', overLimit === 'accepted' ? usual : Math.min(usual, maxLimit));
  if (limit === 0) throw new ApiError(400, 'limit must be at least 1');
  if (limit <= maxLimit || overLimit === 'accepted') return limit;
  if (overLimit === 'rejected') throw new ApiError(400, `limit must be at most ${maxLimit}`);
  return maxLimit;
}

/**
 * An integer of the query.
 * @throws ApiError 400 when it is not an integer.
 */
export function readCount(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d+$/.test(text)) throw new ApiError(400, `${name} must be a whole number`);
  return Number(text);
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new ApiError(400, `${name} must be an ISO 8601 time`);
  return time;
}
