import { isBlocking, type Doubt } from '../warehouse/doubts.ts';
import { isStray, learnStray } from '../read/endpoint-traits.ts';
import { WarehouseError } from '../shared/errors.ts';
import { readLiveRooms, readRooms } from '../read/by-room.ts';
import { requestPage, countedBy, type CheckedPage } from '../read/evidence.ts';
import { list } from '../read/full-listing.ts';
import type { Page, PageRequest } from '../read/page.ts';
import { numbered, tailStart, withCertainKeys } from '../read/ordinals.ts';
import { NOTHING_READ, position, type Reading, type Session } from '../read/session.ts';
import { roomsOf } from '../read/rooms.ts';
import { openSharedNames } from '../read/shared-names.ts';
import { DAY_MS } from '../shared/time.ts';
import { heldBefore } from './moved.ts';

/** A listing older than this is read whole again even if its count has not changed. */
const RELIST_AFTER_MS = DAY_MS;

/**
 * Reads a stream without a time filter. One request is enough if the listing fits a page, or if the API counts as many
 * records as are held and the first page brings nothing new. Otherwise everything is listed.
 */
export async function readSnapshot(session: Session): Promise<Reading> {
  const { stream, startedAt, sink, full, traits } = session;
  const { complete, listedAt = 0, doubts } = position(session);
  const held = sink.held();
  const isStrayCounted = traits.known.strayCounts !== undefined;
  const isSettled = complete || (isStrayCounted && doubts.every((doubt) => !isBlocking(doubt) || isOfCount(doubt)));
  const isRecent = isSettled && listedAt <= startedAt && startedAt - listedAt < RELIST_AFTER_MS;
  // The newest records change most. Without ids, ordinals are counted from the first record on.
  const isNewest =
    !full && (isRecent || isStrayCounted) && stream.dataset.identity.length > 0 && held > session.reader.pageSize;
  const { page: first, contradiction } = await firstPage(session, isNewest ? 'desc' : 'asc');
  if (first.doubts.length > 0) return readCut(session, first);
  if (contradiction !== undefined) traits.forget('totalProven');
  const total = countedBy(first);
  const isPart = total !== undefined && total > first.returned && contradiction === undefined;
  // If the answer counts nothing, or only what it sent, accounting requests the last place that the rows fill.
  const isUncounted = isSilent(session, first, total) && contradiction === undefined && sink.held() > first.returned;
  // A record on the newest page that is held at an earlier time moved, or it is another one with the same id, which must
  // not take its place: only a listing has both.
  const oldest = isNewest ? first.rows.findLast(({ time }) => time !== undefined)?.time : undefined;
  const isUnclear = oldest !== undefined && heldBefore(session, first.rows, oldest).length > 0;
  // Listings of the last day have shown that the count is wrong by so many.
  const isKnownWrong = isPart && isStray(traits.known, held - total);
  if (!full && !isUnclear && (isKnownWrong || (isRecent && (isUncounted || (isPart && total === held))))) {
    // The last timestamp may continue on the next page, which would make its ordinals guesses.
    const whole = isNewest ? withCertainKeys(first.rows) : numbered(first.rows.slice(0, tailStart(first.rows))).rows;
    const rows = openSharedNames(session.warehouse.db, stream, () => false).place(whole);
    const { inserted, updated } = sink.take({ rows, bad: first.bad });
    if (inserted === 0 && updated === 0 && rows.length === whole.length)
      return isUncounted ? NOTHING_READ : { doubts: [], unseen: [], total, isShown: total === held };
  }
  // Repeats that a second reading has to show may be in any room.
  if (!full && !isUnclear && isPart && !doubts.some(({ kind }) => kind === 'repeated')) {
    const reading = await readLiveRooms(session, total);
    if (reading !== undefined) return reading;
  }
  const reading = await list(
    session,
    { first: contradiction === undefined && !isNewest ? first : undefined },
    (_seen, listed) => ({
      ...listed,
      unseen: listed.doubts.length === 0 ? session.sink.seen.missing({}) : [],
      isWhole: listed.doubts.length === 0,
      isListed: listed.doubts.length === 0,
    }),
  );
  // All that is held came, and nothing else. If the API has more, the account says so, at whatever cost this listing had.
  const isSame = sink.held() === held && sink.seen.missing({}).length === 0;
  const counted = reading.total ?? total;
  if (isPart && counted !== undefined && counted !== held && isSame) learnStray(traits, held - counted);
  return reading;
}

/** Whether a doubt comes from nothing but a count. */
function isOfCount({ kind }: Doubt): boolean {
  return kind === 'lacking' || kind === 'surplus' || kind === 'contradiction';
}

/** Whether an answer does not count all records although offsets work, so that a place can be requested instead. */
function isSilent({ stream, traits }: Session, { returned }: Page, total: number | undefined): boolean {
  const { dataset } = stream;
  const hasPlaces = dataset.unpaged !== true && dataset.read !== 'single' && traits.known.offsetIgnored !== true;
  return hasPlaces && (total === undefined || total === returned);
}

/** Reads each room separately, because the API warned or cut the answer at a cap. */
async function readCut(session: Session, first: Page): Promise<Reading> {
  const rooms = roomsOf(session);
  if (rooms !== undefined) return readRooms(session, rooms, first.doubts);
  // Without all repeats the ordinals of records without an id would be guesses.
  session.sink.take({ rows: withCertainKeys(numbered(first.rows).rows), bad: first.bad, isPartial: true });
  return { doubts: first.doubts, unseen: [] };
}

/** The first page, sorted if the endpoint allows it. */
async function firstPage(session: Session, order: 'asc' | 'desc'): Promise<CheckedPage> {
  const { reader, traits, stream } = session;
  if (stream.dataset.unpaged === true || stream.dataset.read === 'single') return unpaged(session);
  if (traits.known.sortRefused === true) return requestPage(reader, {});
  try {
    return await requestPage(reader, { order });
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
    const checked = await requestPage(reader, {});
    traits.learn({ sortRefused: true }, error.message);
    return checked;
  }
}

/** More records than any room has: requested if the endpoint's default limit cut its answer. */
const UNCUT_LIMIT = 1_000_000;

async function unpaged({ reader }: Session): Promise<CheckedPage> {
  const ask = (request: PageRequest) => requestPage(reader, request);
  const checked = await ask({});
  return checked.page.cut ? ask({ limit: UNCUT_LIMIT }) : checked;
}
