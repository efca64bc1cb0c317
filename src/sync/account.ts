import { count } from '../shared/count.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { hasTimeless, heldAmong } from '../warehouse/records.ts';
import { isStray } from '../read/endpoint-traits.ts';
import { requestPage, countedBy, heedsOffset, whatFollows } from '../read/evidence.ts';
import { markOf, numbered, withCertainKeys } from '../read/ordinals.ts';
import type { Page, PageRequest } from '../read/page.ts';
import type { Reading, Session } from '../read/session.ts';

/** A comparison of the records held with those that the API has. */
export interface Account {
  /** Rows and quarantined records. */
  readonly held: number;
  /** How many records the API has; undefined if nothing could show it. */
  readonly truth: number | undefined;
  /** How many records the API says that it has, if it says so. */
  readonly total: number | undefined;
  /** Whether the API has more records than are held, or fewer, even if it is not known how many. */
  readonly isOff: 'lacking' | 'surplus' | undefined;
  /** What could not be settled. */
  readonly doubts: readonly Doubt[];
}

/** How many records a probe requests: more than one, because some may have just come. */
const PROBE = 50;
/** How often new rows are taken and the count is repeated. */
const MOST_PROBES = 4;

/**
 * Compares the records held with those that the API has, after a reading. This costs no request if the reading proved
 * the API's total by more than its own words. Otherwise it requests the record at the last place that the held records
 * fill: exactly one comes if as many exist as are held, whatever the API counts. Where rows have no readable time it does
 * so without an order, which may leave these out.
 * @param isStrict requests it in any case, and without an order, because an order may leave out records that lack the
 * field.
 */
export async function takeAccount(session: Session, reading: Reading, isStrict: boolean): Promise<Account> {
  const { sink, stream, traits } = session;
  const { total, met, isShown, byRoom } = reading;
  const held = sink.held();
  if (reading.doubts.some(({ kind }) => kind === 'warned' || kind === 'cut')) return unknown(held, total, []);
  const isSingle = stream.dataset.read === 'single';
  const isUnpaged = stream.dataset.unpaged === true || isSingle;
  if (byRoom === true) return settled(held, met, undefined);
  // Nothing else shows what an answer without pages lacks, so that its own doubts stay.
  if (isUnpaged && reading.doubts.length > 0) return unknown(held, total, []);
  if (isUnpaged && met !== undefined && (isShown === true || isSingle)) return settled(held, met, total);
  const agrees = total === undefined || met === undefined || total === met;
  const isShownNow = isShown === true && agrees && !isStrict;
  if (isShownNow && (total ?? met) !== undefined) return settled(held, total ?? met, total);
  if (traits.known.offsetIgnored === true || isUnpaged)
    return settled(held, total ?? (isShown === true ? met : undefined), total);
  return probe(session, reading, isStrict);
}

const ASCENDING = { order: 'asc' } as const;

/** Whether the endpoint does not accept a parameter. */
function isRefused(error: unknown): error is WarehouseError {
  return error instanceof WarehouseError && error.code === 'PARAMETER_REFUSED';
}

async function probe(session: Session, { total: reportedBefore, met }: Reading, isStrict: boolean): Promise<Account> {
  const { sink, reader, stream, traits, warehouse } = session;
  const isPlain = isStrict || hasTimeless(warehouse.db, stream);
  let canSort = traits.known.sortRefused !== true && stream.dataset.timeField !== undefined;
  let reported = isStrict ? undefined : reportedBefore;
  let isSorted = !isPlain && canSort;
  for (let round = 1; ; round++) {
    const held = sink.held();
    const offset = Math.max(held - 1, 0);
    const asked = await requestPage(reader, { offset, limit: PROBE, ...(isSorted ? ASCENDING : {}) }).catch(
      (error: unknown) => {
        if (!isSorted || !isRefused(error)) throw error;
        traits.learn({ sortRefused: true }, error.message);
      },
    );
    if (asked === undefined) {
      canSort = isSorted = false;
      continue;
    }
    const { page, contradiction } = asked;
    const order = isSorted ? ASCENDING : {};
    if (page.doubts.length > 0) return unknown(held, reported, page.doubts);
    // Whether there is a record at that place is what was asked for.
    if (contradiction !== undefined && (page.reportedReturned ?? page.returned) !== page.returned)
      return unknown(held, reported, [{ kind: 'contradiction', text: contradiction }]);
    if (isSorted === (!isPlain && canSort)) reported = countedOr(reported, page, contradiction);
    const expected = Math.min(held, 1);
    if (page.returned === expected && isSorted === (!isPlain && canSort)) {
      // Nothing shows whether that is true, as there is no count.
      if (page.total === undefined && whatFollows(page) === 'more') return unknown(held, reported, [PROMISED]);
      // Another record than those held is there in the place of one that is gone.
      if (takeNew(session, page) > 0)
        return { held: sink.held(), truth: held, total: reported, isOff: 'surplus', doubts: [] };
      traits.learn({ totalProven: held }, `nothing came after the first ${held} records`);
      return settled(held, held, await countedInAll(session, held, [reported, reportedBefore]), contradiction);
    }
    if (page.returned < expected) {
      const truth = reported !== undefined && reported < held ? reported : await confirmed(session, met, held, order);
      // Nothing is deleted on the word of an answer that counts more than it sends.
      const doubts: Doubt[] = contradiction === undefined ? [] : [{ kind: 'contradiction', text: contradiction }];
      return { held, truth, total: reported, isOff: 'surplus', doubts };
    }
    const inserted = takeNew(session, page);
    // The records that came in the meantime were taken, and were all that existed at the time of this answer.
    const isOwnOrder = isSorted === (!isPlain && canSort);
    const now = sink.held();
    if (inserted > 0 && isOwnOrder && isCountedEnd(page) && now === offset + page.returned)
      return settled(now, now, await countedInAll(session, now, [reported, reportedBefore]));
    if (inserted === 0 && (await isOffsetIgnored(session, page, isSorted)))
      return settled(held, reportedBefore, reportedBefore);
    const isStuck = inserted === 0 && (isSorted || !canSort || round > 1);
    if (isStuck || round === MOST_PROBES) {
      const isKnown = reported !== undefined && reported > sink.held();
      return {
        held: sink.held(),
        truth: isKnown ? reported : undefined,
        total: reported,
        isOff: 'lacking',
        doubts: [],
      };
    }
    // Records that came in the meantime are last in the order of time; without an order they may be anywhere.
    if (isPlain) isSorted = inserted === 0 && canSort;
  }
}

const PROMISED: Doubt = { kind: 'endless', text: 'the API says that there are more records, but sends none' };

/**
 * Whether the API counts exactly the records up to the end of an answer. That it is short shows nothing: the page
 * before it may have been as short, and was not the last.
 */
function isCountedEnd({ returned, limit, offset, total }: Page): boolean {
  return returned < limit && total === offset + returned && total > returned;
}

/** How many records a complete reading met, if a request at that place shows that the API has as many. */
async function confirmed(
  { reader }: Session,
  met: number | undefined,
  held: number,
  order: Pick<PageRequest, 'order'>,
): Promise<number | undefined> {
  if (met === undefined || met >= held) return undefined;
  const page = await reader.page({ offset: Math.max(met - 1, 0), limit: PROBE, ...order });
  return page.doubts.length === 0 && page.returned === Math.min(met, 1) ? met : undefined;
}

/**
 * How many records the API counts, where an answer of the reading counted more than the one at the last place: either may
 * have been cut short, or records went in the meantime. Then the first page decides.
 */
async function countedInAll(
  { reader, traits }: Session,
  held: number,
  [last, before = 0]: readonly [last: number | undefined, before: number | undefined],
): Promise<number | undefined> {
  if ((last ?? 0) > held || before <= held) return last;
  if (isStray(traits.known, held - before)) return before;
  const counted = countedBy(await reader.page({ offset: 0, limit: 1 }));
  return counted !== undefined && counted > held ? counted : last;
}

/** How many records the API counts. A contradictory answer counts only if its total is larger than what it sent. */
function countedOr(reported: number | undefined, page: Page, contradiction: string | undefined): number | undefined {
  const total = countedBy(page);
  const isMore = total !== undefined && total > page.offset + page.returned;
  return contradiction === undefined || isMore ? (total ?? reported) : reported;
}

/**
 * Takes the new rows of a probe. Those whose key depends on earlier records are left to a reading, and so are those that
 * are held with another content: each may be an edit, or the other one of two records that share an id.
 */
function takeNew({ sink, warehouse, stream }: Session, { rows, bad }: Page): number {
  const certain = withCertainKeys(numbered(rows).rows);
  const held = new Set(
    heldAmong(
      warehouse.db,
      stream,
      certain.map(({ key }) => key),
    ),
  );
  return sink.take({ rows: certain.filter(({ key }) => !held.has(key)), bad }).inserted;
}

/** Whether a later place returns the same records as the first, so that places prove nothing. */
async function isOffsetIgnored({ reader, traits }: Session, page: Page, isSorted: boolean): Promise<boolean> {
  if (page.offset === 0) return false;
  const first = await reader.page({ offset: 0, limit: PROBE, ...(isSorted ? { order: 'asc' } : {}) });
  const marks = new Set(first.rows.map(markOf));
  const isSame = first.returned === page.returned && page.rows.every((row) => marks.has(markOf(row)));
  // Answers that were cut short look the same.
  if (!isSame || (await heedsOffset((offset) => reader.page({ offset, limit: PROBE })))) return false;
  traits.learn({ offsetIgnored: true }, `offset ${page.offset} gave the same records as offset 0`);
  return true;
}

function settled(held: number, truth: number | undefined, total: number | undefined, contradiction?: string): Account {
  if (truth === undefined)
    return unknown(held, total, [{ kind: 'unproven', text: 'nothing shows that the last page was the last' }]);
  // The API may count records that it does not list: these cannot be read.
  const known = Math.max(truth, total ?? truth);
  const isFewer = total !== undefined && total < truth && contradiction === undefined;
  const doubt: Doubt[] = isFewer
    ? [{ kind: 'contradiction', text: `the API counts ${count(total)} records, but lists ${count(truth)}` }]
    : [];
  return { held, truth: known, total, isOff: undefined, doubts: doubt };
}

function unknown(held: number, total: number | undefined, doubts: readonly Doubt[]): Account {
  return { held, truth: undefined, total, isOff: undefined, doubts };
}
