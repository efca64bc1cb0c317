import { WarehouseError } from '../shared/errors.ts';
import { countRows } from '../warehouse/rows.ts';
import { list } from './listing.ts';
import type { Page, Reader } from './reader.ts';
import { numbered, tailStart } from './ordinals.ts';
import { listLiveRooms, listRooms } from './rooms.ts';
import { braked, doubt, position, write, type Session } from './session.ts';

/** A listing older than this is read whole again even when its count has not changed. */
const RELIST_AFTER_MS = 24 * 3_600_000;

/**
 * Brings a stream without a time filter up to date. One request is enough where the listing fits a page, or where
 * the API counts as many records as we hold and the first page brings nothing new; otherwise everything is listed
 * and compared.
 */
export async function readSnapshot(session: Session): Promise<void> {
  const { warehouse, stream, startedAt } = session;
  const first = await firstPage(session);
  if (first.doubts.length > 0) return readCut(session, first);
  const before = position(session);
  const { complete, listedAt = 0 } = before;
  const isRecent = complete && listedAt <= startedAt && startedAt - listedAt < RELIST_AFTER_MS;
  const sameCount = first.total !== undefined && first.total === countRows(warehouse.db, stream);
  if (!session.full && isRecent && sameCount && first.hasMore === true) {
    // The last timestamp may go on behind the page, which would make its ordinals guesses.
    const whole = numbered(first.rows.slice(0, tailStart(first.rows))).rows;
    const { inserted, updated } = write(session, { rows: whole, bad: first.bad });
    if (inserted === 0 && updated === 0) {
      write(session, { rows: [], position: { dataAsOf: startedAt } });
      return;
    }
  }
  if (!session.full && (await listLiveRooms(session, first))) return;
  await listWhole(session, first);
  if (session.partial.size > 0 && (await listRooms(session))) clear(session);
}

/** Lists everything; what a confirmed listing no longer has vanishes. */
async function listWhole(session: Session, first: Page): Promise<void> {
  const { stream, startedAt } = session;
  await list(session, first, (seen, isClean) => {
    const vanished = isClean ? braked(session, seen.missing(stream, {}) ?? []) : [];
    const times = { dataAsOf: startedAt, verifiedAt: startedAt, listedAt: startedAt };
    write(session, { rows: [], vanished, isWholeAndClean: isClean, position: { ...times, backfilled: true } });
  });
}

/** The API warned, or cut the answer at a cap: each room is asked for by itself, and what stays cut is incomplete. */
async function readCut(session: Session, first: Page): Promise<void> {
  // Without every repeat in view the ordinals of records without an id would be guesses.
  write(session, { rows: first.rows.filter(({ needsOrdinal }) => !needsOrdinal), bad: first.bad });
  if (!(await listRooms(session))) doubt(session, first);
}

/** What the whole listing was doubted for, the rooms have settled. */
function clear({ doubts, partial }: Session): void {
  for (const why of partial) doubts.delete(why);
  partial.clear();
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
