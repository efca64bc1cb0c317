import { WarehouseError } from '../shared/errors.ts';
import type { Account } from './account.ts';
import { list } from './full-listing.ts';
import { NotWalkable } from './paginate.ts';
import { compareRange, freeTime, readRange } from './reconcile.ts';
import { NOTHING_READ, position, type Reading, type Session } from './session.ts';

/** What may still be done to find out which records differ, cheapest first. */
export function searches(session: Session, reading: Reading, account: Account): (() => Promise<Reading>)[] {
  const { stream, traits, config } = session;
  const { watermark } = position(session);
  const { startTimeIgnored, startTimeRefused, offsetIgnored } = traits.known;
  const isTimed = stream.dataset.read === 'incremental' && startTimeIgnored !== true && startTimeRefused !== true;
  const isUnpaged = stream.dataset.unpaged === true || stream.dataset.read === 'single';
  if (reading.byRoom === true || isUnpaged) return [];
  const byTime = async (read: () => Promise<Reading>): Promise<Reading> => {
    try {
      return await read();
    } catch (error) {
      if (error instanceof NotWalkable) traits.learn({ startTimeIgnored: true }, error.message);
      // What is refused by time can still be listed.
      else if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
      return NOTHING_READ;
    }
  };
  const tail = () =>
    readRange(session, {
      from: watermark === undefined ? undefined : freeTime(session, watermark - config.lookbackMs),
    });
  return [
    ...(isTimed && reading.isWhole !== true
      ? [() => byTime(account.total === undefined ? tail : () => compareRange(session, {}))]
      : []),
    ...(offsetIgnored === true
      ? isTimed && reading.isWhole !== true
        ? [() => byTime(() => readRange(session, {}))]
        : []
      : [() => listWhole(session, false), () => listWhole(session, true)]),
  ];
}

/** One listing of everything, without a time filter. */
export function listWhole(session: Session, isPlain: boolean): Promise<Reading> {
  return list(session, { end: 'empty', isPlain }, (_seen, listed) => ({
    ...listed,
    unseen: listed.doubts.length === 0 ? session.sink.unmet({}) : [],
    isWhole: listed.doubts.length === 0,
    isListed: listed.doubts.length === 0,
  }));
}
