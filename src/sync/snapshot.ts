import { WarehouseError } from '../shared/errors.ts';
import { countRows } from '../warehouse/rows.ts';
import { createSeen, type Seen } from '../warehouse/seen.ts';
import { knownRooms } from '../warehouse/structure.ts';

import { numbered, tailStart } from './repeats.ts';
import type { Page, Reader } from './reader.ts';
import { pageLengths } from './learned.ts';
import { braked, position, write, type Session } from './session.ts';
import { Shifted, walk } from './walk.ts';

/** A listing older than this is read whole again even when its count has not changed. */
const RELIST_AFTER_MS = 24 * 3_600_000;
/** How often a listing that moves under the reader, or disagrees with the API's total, is read. */
const MOST_LISTINGS = 4;

/**
 * Brings a stream without a time filter up to date. One request is enough where the listing fits a page, or where
 * the API counts as many records as we hold and the first page brings nothing new; otherwise everything is listed
 * and compared.
 */
export async function readSnapshot(session: Session): Promise<void> {
  const { warehouse, stream, startedAt } = session;
  const first = await firstPage(session);
  if (first.cut) return readByRoom(session, first);
  const before = position(session);
  const isRecent = before.complete && startedAt - (before.verifiedAt ?? 0) < RELIST_AFTER_MS;
  const sameCount = first.total !== undefined && first.total === countRows(warehouse.db, stream);
  if (!session.full && isRecent && sameCount && first.hasMore === true && first.doubts.length === 0) {
    // The last timestamp may go on behind the page, which would make its ordinals guesses.
    const whole = numbered(first.rows.slice(0, tailStart(first.rows)));
    const { inserted, updated } = write(session, { rows: whole, bad: first.bad });
    if (inserted === 0 && updated === 0) {
      write(session, { rows: [], position: { dataAsOf: startedAt } });
      return;
    }
  }
  await list(session, first);
}

/** The first page, sorted where the endpoint allows it. */
async function firstPage(session: Session): Promise<Page> {
  const { reader, memory, stream } = session;
  if (stream.dataset.unpaged === true) return unpaged(reader);
  if (memory.learned.sort !== 'rejected') {
    try {
      return await reader.page({ order: 'asc' });
    } catch (error) {
      if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
      const page = await reader.page({});
      memory.learn({ sort: 'rejected' });
      return page;
    }
  }
  return reader.page({});
}

/** More than any room holds: asked for when the endpoint's default limit cut its answer. */
const UNCUT_LIMIT = 1_000_000;

async function unpaged(reader: Reader): Promise<Page> {
  const page = await reader.page({});
  return page.cut ? reader.page({ limit: UNCUT_LIMIT }) : page;
}

/**
 * Lists everything, until a listing is confirmed: by the API's total or, where that disagrees, by a second listing
 * that meets the same records. A full read outranks a total.
 */
async function list(session: Session, first: Page): Promise<void> {
  const { warehouse, stream, memory, startedAt, doubts } = session;
  let previous: Seen | undefined;
  const all: Seen[] = [];
  try {
    for (let listing = 1; listing <= MOST_LISTINGS; listing++) {
      const seen = createSeen(warehouse.db);
      all.push(seen);
      const total = await listInto(session, seen, listing === 1 ? first : undefined);
      if (doubts.size > 0) return;
      const told = memory.learned.total === 'wrong' && total !== 'shifted' ? undefined : total;
      const isTwice = told !== 'shifted' && previous?.equals(seen) === true;
      if (told === undefined || told === seen.count() || isTwice) {
        if (isTwice && told !== undefined) memory.learn({ total: 'wrong' });
        const vanished = braked(session, seen.missing(stream, {}) ?? []);
        write(session, {
          rows: [],
          vanished,
          position: { dataAsOf: startedAt, verifiedAt: startedAt, backfilled: true },
        });
        return;
      }
      previous = total === 'shifted' ? undefined : seen;
    }
    doubts.add('the listing kept changing while it was read');
  } finally {
    for (const seen of all) seen.drop();
  }
}

/** Lists once; gives the API's total, or `shifted` when records came or went before the reader. */
async function listInto(
  session: Session,
  seen: Seen,
  first: Page | undefined,
): Promise<number | undefined | 'shifted'> {
  const { reader, memory, doubts } = session;
  let total: number | undefined;
  try {
    for await (const stretch of walk(reader, {
      by: 'offset',
      sorted: memory.learned.sort !== 'rejected',
      limit: reader.pageSize,
      first,
      ...pageLengths(memory),
    })) {
      for (const doubt of stretch.doubts) doubts.add(doubt);
      write(session, { rows: stretch.rows, bad: stretch.bad });
      seen.add(stretch.rows.map(({ key }) => key));
      total = stretch.total;
    }
  } catch (error) {
    if (error instanceof Shifted) return 'shifted';
    throw error;
  }
  return total;
}

/** The API cut the answer at a cap: each room is asked for by itself, and only what stays cut is incomplete. */
async function readByRoom(session: Session, first: Page): Promise<void> {
  const { stream, warehouse, doubts, startedAt } = session;
  write(session, { rows: first.rows.filter(({ byContent }) => !byContent), bad: first.bad });
  const rooms =
    stream.scope.kind === 'experiment' && stream.dataset.scopes.includes('room')
      ? knownRooms(warehouse.db, stream.experimentId)
      : undefined;
  if (rooms?.complete !== true) {
    for (const doubt of first.doubts) doubts.add(doubt);
    return;
  }
  const seen = createSeen(warehouse.db);
  try {
    for (const room of rooms.ids) {
      const total = await listInto({ ...session, reader: session.inRoom(room) }, seen, undefined);
      if (total === 'shifted') doubts.add(`room ${room} kept changing while it was read`);
    }
    if (doubts.size > 0) return;
    const vanished = braked(session, seen.missing(stream, {}) ?? []);
    write(session, { rows: [], vanished, position: { dataAsOf: startedAt, verifiedAt: startedAt, backfilled: true } });
  } finally {
    seen.drop();
  }
}
