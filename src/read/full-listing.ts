import type { Row } from '../datasets/normalise.ts';
import { matchDoubles } from '../warehouse/doubles.ts';
import { createSeen, type Seen } from '../warehouse/seen.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { countedBy, fillsPlaces, heedsOffset, isShownLast } from './evidence.ts';
import { notLeftToRooms } from './left-to-rooms.ts';
import { withCertainKeys } from './ordinals.ts';
import { OFFSET_IGNORED, paginate, RESTLESS, Shifted, type PaginateOptions, type Chunk } from './paginate.ts';
import { otherPages } from './other-pages.ts';
import type { Page } from './page.ts';
import type { Way } from './place.ts';
import type { Reader } from './reader.ts';
import type { Reading, Session } from './session.ts';
import { openSharedNames } from './shared-names.ts';
import type { Batch } from './sink.ts';

/** How often a listing is read if records keep moving while it is read. */
const MOST_LISTINGS = 4;

export interface Listing {
  /** The first page, if it has been read already. */
  readonly first?: Page | undefined;
  /** Which reader lists the records; by default the stream's own. */
  readonly reader?: Reader;
  /** What ends the listing; see `paginate`. */
  readonly end?: PaginateOptions['end'];
  /** Request no order, because some orders leave out records that lack the field. */
  readonly isPlain?: boolean;
}

/** The result of a complete listing, with the number of records in it. */
export interface Listed extends Reading {
  readonly met: number;
}

/**
 * Lists everything that a reader returns, page by page by offset, and passes it to the sink. If records move during the
 * listing, it is read again, up to four times in all.
 * @param use is called with the keys that came, before they are forgotten.
 */
export async function list<T>(
  session: Session,
  { first, reader = session.reader, end = 'claimed', isPlain = false }: Listing,
  use: (seen: Seen, listed: Listed) => T,
): Promise<T> {
  const atMost = otherPages(session);
  let page = atMost === undefined ? first : undefined;
  for (let listing = 1; ; listing++) {
    const seen = createSeen(session.warehouse.db);
    try {
      const listed = await listOnce(session, seen, { first: page, reader, end, isPlain, atMost });
      if (listed !== 'shifted') return use(seen, listed);
      if (listing === MOST_LISTINGS) return use(seen, { doubts: [RESTLESS], unseen: [], met: seen.count() });
      page = undefined;
    } finally {
      seen.drop();
    }
  }
}

async function listOnce(
  session: Session,
  seen: Seen,
  {
    first,
    reader,
    end,
    isPlain,
    atMost,
  }: Required<Omit<Listing, 'first'>> & Pick<Listing, 'first'> & Pick<Way, 'atMost'>,
): Promise<Listed | 'shifted'> {
  const { traits, sink, warehouse, stream } = session;
  const names = openSharedNames(warehouse.db, stream, (key) => seen.has(key));
  const take = (batch: Batch) => {
    sink.take(batch);
    seen.add(batch.rows.map(({ key }) => key));
  };
  const doubts: Doubt[] = [];
  let last: Chunk | undefined;
  let counted: number | undefined;
  let bad = 0;
  try {
    // Traits seen on the stream's own path do not apply to a room's path.
    const { sortRefused } = traits.known;
    const known = reader === session.reader ? traits.known : {};
    const isUnpaged = stream.dataset.unpaged === true;
    const sorted = sortRefused !== true && !isPlain;
    for await (const chunk of paginate(reader, { by: 'offset', sorted, atMost, first, end, known, isUnpaged })) {
      doubts.push(...chunk.doubts);
      const { rows, isMet } = distinct(session, chunk, seen, reader);
      take({ rows: names.place(rows), bad: chunk.bad, isPartial: isPartial(chunk), isMet });
      bad += chunk.bad.length;
      // An answer that counts fewer than one before it may have been cut short.
      counted = larger(counted, countedBy(chunk.page));
      last = chunk;
    }
  } catch (error) {
    if (!(error instanceof Shifted)) throw error;
    return 'shifted';
  }
  const waited = names.rest(doubts.length === 0);
  if (waited.length > 0) take({ rows: waited });
  const met = seen.count() + bad;
  const pageFrom = (offset: number) => reader.page({ offset });
  // Answers that were cut short look the same.
  if (doubts.includes(OFFSET_IGNORED) && reader === session.reader && !(await heedsOffset(pageFrom)))
    traits.learn({ offsetIgnored: true }, 'a later page brought the same records as the first');
  if (last?.isEnd === true && reader === session.reader && traits.known.totalProven !== met)
    traits.learn({ totalProven: met }, `nothing came after ${met} records`);
  return {
    doubts,
    unseen: [],
    met,
    total: last && (stream.dataset.unpaged === true ? unpagedTotal(last.page, met) : counted),
    isShown:
      last !== undefined &&
      fillsPlaces(last.page, met) &&
      (last.isEnd || isShownLast(last.page, met, reader === session.reader ? traits.known : {})),
  };
}

function larger(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** How many records an answer without pages counts; those that are left out of it by its data type are not among them. */
function unpagedTotal(page: Page, met: number): number | undefined {
  const counted = countedBy({ ...page, offset: 0 });
  return counted === undefined ? undefined : met + Math.max(counted - page.returned, 0);
}

/** Whether the answer of a chunk says that it lacks records. */
export function isPartial({ page }: Pick<Chunk, 'page'>): boolean {
  return page.doubts.length > 0;
}

/**
 * All rows of a chunk or, if its answer says that it lacks records, the rows whose keys do not depend on others and that
 * no room's answer brings better.
 */
export function certainRows(
  session: Session,
  chunk: Pick<Chunk, 'rows' | 'page'>,
  reader: Reader = session.reader,
): readonly Row[] {
  if (!isPartial(chunk)) return chunk.rows;
  const certain = withCertainKeys(chunk.rows);
  return reader === session.reader ? notLeftToRooms(session, certain) : certain;
}

/** The certain rows of a chunk, and which records this reading has met, if some of them have the id of one of these. */
export function distinct(
  session: Session,
  chunk: Pick<Chunk, 'rows' | 'page'>,
  seen: Seen,
  reader?: Reader,
): { readonly rows: readonly Row[]; readonly isMet?: (key: string) => boolean } {
  const { warehouse, stream } = session;
  const rows = certainRows(session, chunk, reader);
  const withId = rows.filter(({ needsOrdinal }) => !needsOrdinal).map(({ key }) => key);
  if (!seen.hasAny(withId)) return { rows };
  const isMet = (key: string) => seen.has(key);
  return { rows: matchDoubles(warehouse.db, stream, rows, { isMet, isPartial: isPartial(chunk) }), isMet };
}
