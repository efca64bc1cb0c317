import type { Doubt } from '../warehouse/doubts.ts';
import type { Position } from '../warehouse/positions.ts';
import { missingSince } from '../warehouse/missing.ts';
import { takeAccount, type Account } from './account.ts';
import { conclude, isCountedAbove, type Proof } from './conclude.ts';
import { settleGone, type Deletion } from './deletions.ts';
import { withAwaited } from './repeats.ts';
import { listWhole, searches, stillMissing } from './search.ts';
import { isStray, learnStray } from '../read/endpoint-traits.ts';
import { both, position, type Reading, type Session } from '../read/session.ts';

/** What was read so far, and the account of it. */
interface Evidence {
  readonly reading: Reading;
  readonly account: Account;
  /** Whether the account rests on a request without an order. */
  readonly isPlain: boolean;
}

/**
 * Accounts for every record of a stream after a reading. If more or fewer records are held than the API has, it
 * searches for the difference: by counts of time ranges and finally by a listing. Then it handles the rows that are
 * gone.
 * @param isStrict whether the account has to rest on more than what the API says about a page.
 */
export async function prove(session: Session, first: Reading, isStrict: boolean): Promise<Proof> {
  const before = position(session);
  // A row that was withheld has come again, so that the difference is not the one that is known.
  if (before.withheldRows > before.missingRows) session.traits.forget('unsettled');
  const atFirst = await firstAccount(session, first, isStrict, before);
  const searched = await search(session, atFirst, before);
  const { reading, account } = await listIfNeeded(session, searched);
  const gone = unseen(session, reading);
  const surplus = surplusOf(account);
  const isCertain =
    reading.doubts.length === 0 &&
    account.doubts.every(({ kind }) => kind !== 'contradiction') &&
    session.sink.seen.newRepeats === 0 &&
    surplus === gone.length &&
    !isCountedAbove(session, account.truth);
  const deletion = isCertain && gone.length > 0 ? await settleGone(session, gone) : undefined;
  const isLeft = (searched.isSearched && surplus !== gone.length) || (deletion?.withheld ?? 0) > 0;
  const isWrongCount =
    searched.isSearched &&
    gone.length === 0 &&
    surplusOf(atFirst.account) !== 0 &&
    account.held === atFirst.account.held;
  // A difference that a search did not settle, or that was only a wrong count, is not searched for again soon.
  const unsettled = isLeft ? surplus : isWrongCount ? surplusOf(atFirst.account) : undefined;
  if (!reading.doubts.some(({ kind }) => kind === 'unstable')) learnUnsettled(session, unsettled, account, deletion);
  unlearnLongPages(session, first, account);
  return conclude(session, { before, reading, account, gone, deletion });
}

/** What is known about a stream whose reading stopped before it was accounted for. */
export function proveStopped(session: Session, doubt: Doubt): Proof {
  const before = position(session);
  const account = { held: session.sink.held(), truth: undefined, total: before.apiTotal, isOff: undefined, doubts: [] };
  const reading = { doubts: [doubt], unseen: [] };
  return conclude(session, { before, reading, account, gone: [], deletion: undefined });
}

function surplusOf({ held, truth }: Account): number | undefined {
  return truth === undefined ? undefined : held - truth;
}

async function firstAccount(session: Session, first: Reading, isStrict: boolean, before: Position): Promise<Evidence> {
  const isPlain = isStrict || session.traits.known.sortOmits === true;
  const reading = await withAwaited(session, first, before);
  const account = await accountOf(session, reading, isPlain);
  // If the count is right, rows moved or came back.
  if (isPlain || surplusOf(account) === 0 || isExplained(session, reading, account, before))
    return { reading, account, isPlain };
  // One request shows whether records differ or only the total is wrong.
  return { reading, account: await accountOf(session, { ...reading, isShown: false }, true), isPlain: true };
}

/** Searches, cheapest first, until what is held and what the API has agree, or the difference is known. */
async function search(
  session: Session,
  found: Evidence,
  before: Position,
): Promise<Evidence & { readonly isSearched: boolean }> {
  let { reading, account, isPlain } = found;
  let isSearched = false;
  for (const look of [undefined, ...searches(session, reading, account)]) {
    if (look !== undefined) {
      reading = both(reading, await look());
      account = await accountOf(session, reading, isPlain);
      isSearched = true;
    }
    if (!isExplained(session, reading, account, before)) continue;
    if (isPlain || unseen(session, reading).length === 0) break;
    // Before a row counts as missing, a request without an order has to agree, because an order may leave it out.
    isPlain = true;
    const sorted = account;
    account = await accountOf(session, reading, isPlain);
    if (account.truth !== undefined && sorted.truth !== undefined && account.truth > sorted.truth)
      session.traits.learn({ sortOmits: true }, `${sorted.truth} records with an order, ${account.truth} without`);
    if (isExplained(session, reading, account, before)) break;
  }
  return { reading, account, isPlain, isSearched };
}

/** Before rows are deleted of which some may have moved, everything is listed without a time filter. */
async function listIfNeeded(
  session: Session,
  { reading, account }: Evidence,
): Promise<Pick<Evidence, 'reading' | 'account'>> {
  if (!needsListing(session, reading, unseen(session, reading))) return { reading, account };
  const listed = both(reading, await listWhole(session, false));
  return { reading: listed, account: await accountOf(session, listed, true) };
}

/**
 * Remembers a difference that a search did not settle, once the next search has not settled it either: after a single
 * search it may be a record that came in the meantime. Withheld rows were missed by two readings already.
 */
function learnUnsettled(
  { traits, sink }: Session,
  unsettled: number | undefined,
  { held, truth = 0 }: Account,
  deletion: Deletion | undefined,
): void {
  const { suspected, unsettled: known } = traits.known;
  if (unsettled === undefined) {
    if (suspected === undefined || known !== undefined) return;
    traits.forget('suspected');
    // It was the count that came back, and no record.
    const { inserted, deleted } = sink.tally;
    if (inserted === 0 && deleted === 0) learnStray(traits, suspected);
    return;
  }
  const evidence = `after everything was read ${held} of ${truth}`;
  if (suspected === unsettled || (deletion?.withheld ?? 0) > 0) traits.learn({ unsettled }, evidence);
  traits.learn({ suspected: unsettled }, evidence);
}

/**
 * Forgets the longest page if a page that was taken for the last because others had been longer was not the last.
 */
function unlearnLongPages({ traits, sink }: Session, { isShown, met }: Reading, { truth }: Account): void {
  const isWrong = isShown === true && met !== undefined && truth !== undefined && truth - sink.tally.inserted > met;
  if (isWrong) traits.forget('largestPage');
}

function accountOf(session: Session, reading: Reading, isStrict: boolean): Promise<Account> {
  if (reading.isWhole === true && reading.doubts.length === 0) session.sink.settle(session.startedAt);
  return takeAccount(session, reading, isStrict);
}

/**
 * Whether a listing without a time filter is needed before rows are deleted: some may have moved while others were
 * deleted.
 */
function needsListing(session: Session, reading: Reading, gone: readonly string[]): boolean {
  if (reading.isListed === true || session.traits.known.offsetIgnored === true) return false;
  const since = missingSince(session.warehouse.db, session.stream);
  return gone.some((key) => since.has(key));
}

/** Stored rows in the range that was read that did not come in any answer. */
function unseen({ sink }: Session, reading: Reading): readonly string[] {
  return reading.unseen.filter((key) => !sink.seen.has(key));
}

/** Whether nothing is left to search for: the counts agree, or the surplus rows are known. */
function isExplained(session: Session, reading: Reading, account: Account, before: Position): boolean {
  if (reading.doubts.some(({ kind }) => kind === 'warned' || kind === 'cut')) return true;
  const gone = unseen(session, reading).length;
  if (account.truth === undefined) return account.isOff === undefined && gone === 0;
  const surplus = account.held - account.truth;
  if (surplus === gone) return gone > 0 || stillMissing(session).length === 0;
  if (session.full || gone > 0) return false;
  const isWaiting = surplus > 0 && surplus === before.missingRows && isRecent(session);
  if (isWaiting) return true;
  // A record beyond those held, or none at the place of the last, is more than a count that is wrong.
  if (account.isOff !== undefined && before.withheldRows === 0) return false;
  return (surplus !== 0 && isStray(session.traits.known, surplus)) || surplus === session.traits.known.unsettled;
}

/** Whether rows were first missed a moment ago, so that another reading is needed later, not now. */
function isRecent({ startedAt, confirmAfterMs, warehouse, stream }: Session): boolean {
  const since = [...missingSince(warehouse.db, stream).values()];
  return since.some((at) => startedAt - at < confirmAfterMs);
}
