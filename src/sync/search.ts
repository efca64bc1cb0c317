import { WarehouseError } from '../shared/errors.ts';
import type { Account } from './account.ts';
import { list } from '../read/full-listing.ts';
import { NotWalkable } from '../read/paginate.ts';
import { parseTime } from '../shared/time.ts';
import { missingSince } from '../warehouse/missing.ts';
import { heldAmong, timesOf } from '../warehouse/records.ts';
import { compareBehind, compareRange, freeTime, readRange } from '../read/reconcile.ts';
import { both, NOTHING_READ, position, type Reading, type Session } from '../read/session.ts';

/** Reads by time, or nothing where the endpoint turns out not to allow it. */
export async function ifByTime({ traits }: Session, read: () => Promise<Reading>): Promise<Reading> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof NotWalkable) traits.learn({ startTimeIgnored: true }, error.message);
    // If a time filter is refused, the stream can still be listed.
    else if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
    return NOTHING_READ;
  }
}

/** The searches that may still show which records differ, cheapest first. */
export function searches(session: Session, reading: Reading, account: Account): (() => Promise<Reading>)[] {
  const { stream, traits, config } = session;
  const { watermark } = position(session);
  const { offsetIgnored } = traits.known;
  const isTimed = mayFilter(session);
  const isUnpaged = stream.dataset.unpaged === true || stream.dataset.read === 'single';
  if (reading.byRoom === true || isUnpaged) return [];
  const byTime = (read: () => Promise<Reading>) => ifByTime(session, read);
  const tail = () =>
    readRange(session, {
      from: watermark === undefined ? undefined : freeTime(session, watermark - config.lookbackMs),
    });
  const { view } = reading;
  const { truth, held, total } = account;
  const compare = () =>
    view === undefined || truth === undefined ? compareRange(session, {}) : compareBehind(session, view, truth - held);
  return [
    ...(isTimed && reading.isWhole !== true && stillMissing(session).length > 0
      ? [() => byTime(() => readAt(session, stillMissing(session)))]
      : []),
    ...(isTimed && reading.isWhole !== true ? [() => byTime(total === undefined ? tail : compare)] : []),
    ...(offsetIgnored === true
      ? isTimed && reading.isWhole !== true
        ? [() => byTime(() => readRange(session, {}))]
        : []
      : [() => listWhole(session, false), () => listWhole(session, true)]),
  ];
}

/** Stored rows that an earlier reading missed and that have not come since. */
export function stillMissing({ warehouse, stream, sink }: Session): string[] {
  const missing = [...missingSince(warehouse.db, stream).keys()].filter((key) => !sink.seen.has(key));
  return heldAmong(warehouse.db, stream, missing);
}

/** Whether the endpoint filters by time, as far as is known. */
export function mayFilter({ stream, traits }: Session): boolean {
  const { startTimeIgnored, startTimeRefused } = traits.known;
  return stream.dataset.read === 'incremental' && startTimeIgnored !== true && startTimeRefused !== true;
}

/** Up to this many times are read one by one. */
const FEW_TIMES = 5;

/** Reads the times of stored rows that a reading did not show. */
export async function readAt(session: Session, keys: readonly string[]): Promise<Reading> {
  const times = timesOf(session.warehouse.db, session.stream, keys)
    .map((text) => parseTime(text))
    .filter((time) => time !== undefined);
  const ranges =
    times.length > FEW_TIMES ? [{ from: times[0], to: times.at(-1) }] : times.map((time) => ({ from: time, to: time }));
  let reading: Reading = NOTHING_READ;
  for (const range of ranges) reading = both(reading, await readRange(session, range));
  return reading;
}

/** Lists everything, without a time filter. */
export function listWhole(session: Session, isPlain: boolean): Promise<Reading> {
  return list(session, { end: 'empty', isPlain }, (_seen, listed) => ({
    ...listed,
    unseen: listed.doubts.length === 0 ? session.sink.seen.missing({}) : [],
    isWhole: listed.doubts.length === 0,
    isListed: listed.doubts.length === 0,
  }));
}
