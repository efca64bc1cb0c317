import { deploymentSessions } from '../datasets/deployment-sessions.ts';
import { experiments } from '../datasets/experiments.ts';
import { readForEach } from '../schedule/streams.ts';
import { count, counted } from '../shared/count.ts';
import { formatTime, MINUTE_MS } from '../shared/time.ts';
import { isComplete, ranked, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import { readPosition, type Position, type PositionChange } from '../warehouse/positions.ts';
import { newestQuarantined } from '../warehouse/quarantine.ts';
import { countRows, keysWithOrdinals } from '../warehouse/records.ts';
import { countedInExperiment, countUnnamed } from '../warehouse/structure.ts';
import type { Account } from './account.ts';
import { missingDoubt, type Deletion } from './deletions.ts';
import { rederivation } from './rederived.ts';
import { repeatDoubts } from './repeats.ts';
import { later, position, serverNow, type Reading, type Session } from '../read/session.ts';

/** The result of a reading and of accounting for the stream's records. */
export interface Proof {
  readonly doubts: readonly Doubt[];
  readonly reading: Reading;
  readonly account: Account;
  /** What is known about the stream now. */
  readonly position: PositionChange;
}

/** Doubts about answers that no longer count once every record is accounted for. */
const SETTLED_BY_COUNT: ReadonlySet<DoubtKind> = new Set(['contradiction', 'endless', 'unproven']);
/** Doubts because of which the watermark stays. */
const HOLDS_WATERMARK: ReadonlySet<DoubtKind> = new Set([
  ...(['warned', 'cut', 'contradiction', 'endless', 'unstable'] as const),
  // Not about an answer: nothing more is read until a person accepts the change.
  'schema',
]);
/** Rows may be this far ahead of the server's clock because a browser's clock is somewhat fast. */
const FAST_CLOCK_MS = MINUTE_MS;

/** What accounting for a stream's records found. */
export interface Found {
  readonly before: Position;
  readonly reading: Reading;
  readonly account: Account;
  readonly gone: readonly string[];
  readonly deletion: Deletion | undefined;
}

/** Combines everything that was found into what is known about the stream. */
export function conclude(session: Session, found: Found): Proof {
  const { before, reading, account, deletion } = found;
  const { startedAt, sink } = session;
  const rederived = rederivation(session, before, reading);
  const after = position(session);
  const counts = countDoubts(found);
  const answers = isAccounted(counts, found)
    ? reading.doubts.filter(({ kind }) => !SETTLED_BY_COUNT.has(kind))
    : reading.doubts;
  const withheldRows = deletion?.withheld ?? (isSettled(found) ? 0 : before.withheldRows);
  const datedAheadRows = countAhead(session);
  const stopped = after.doubts.filter(({ kind }) => kind === 'schema');
  const doubts = ranked([
    ...answers,
    ...stopped,
    ...counts,
    ...account.doubts,
    ...goneDoubts(session),
    ...uncountedDoubts(session, account),
    ...unnamedDoubts(session),
    ...unassignedDoubts(session, before, after),
    ...(deletion?.doubts ?? pendingDoubts(before, after, withheldRows)),
    ...repeatDoubts(session, before),
    ...quarantineDoubts(after),
    ...rederived.doubts,
    ...aheadDoubts(datedAheadRows, serverNow(session)),
    ...sharedDoubts(session, before),
    ...droppedDoubts(session),
  ]);
  const isRead = ![...answers, ...stopped].some(({ kind }) => HOLDS_WATERMARK.has(kind));
  const isWhole = reading.isWhole === true && isRead;
  return {
    doubts,
    reading,
    account,
    position: {
      doubts,
      withheldRows,
      datedAheadRows,
      rereadReason: rederived.rereadReason,
      serverBasis: rederived.basis,
      apiTotal: account.total ?? account.truth,
      accountedAt: startedAt,
      ...(isBalanced(found) ? { balancedAt: balancedAt(session) } : {}),
      lastStatus: isComplete(doubts) ? 'ok' : 'incomplete',
      lastError: undefined,
      ...(isRead ? { dataAsOf: startedAt, backfilled: true, watermark: watermarkAfter(session, before, reading) } : {}),
      ...(isWhole || (reading.isRenewed === true && isRead) ? { listedAt: startedAt } : {}),
      ...(isWhole && isComplete(doubts) && sink.tally.bad === 0 ? { verifiedAt: startedAt } : {}),
    },
  };
}

/**
 * The newest time that was read. A watermark that an earlier version stored ahead of the server's clock is moved back.
 */
function watermarkAfter(session: Session, before: Position, reading: Reading): number | undefined {
  const isAhead = before.watermark !== undefined && before.watermark > serverNow(session);
  return isAhead ? reading.upTo : later(before.watermark, reading.upTo);
}

/** Whether the rows held, those that did not come among them, and the quarantined records are all that the API has. */
function isBalanced({ reading, account, gone }: Found): boolean {
  const isClean = reading.doubts.length === 0 && account.doubts.length === 0 && gone.length === 0;
  return isClean && account.isOff === undefined && account.truth === account.held;
}

/** Later than each malformed record that was counted; the warehouse's clock may be some milliseconds ahead. */
function balancedAt({ clock, warehouse, stream }: Session): number {
  return Math.max(clock.now(), newestQuarantined(warehouse.db, stream));
}

/** Whether this reading settled the rows that were missing or withheld before. */
function isSettled({ reading, account, gone }: Found): boolean {
  return reading.doubts.length === 0 && gone.length === 0 && account.truth === account.held;
}

/**
 * Whether every record is accounted for. A reading of the whole stream has to have met them all, because one that an
 * answer ended too early saw no edit behind that place, although nothing may have come or gone there.
 */
function isAccounted(counts: readonly Doubt[], { account, reading }: Found): boolean {
  const { truth } = account;
  const isCut = reading.isWhole === true && reading.met !== undefined && truth !== undefined && reading.met < truth;
  return counts.length === 0 && truth !== undefined && !isCut;
}

/** By how many records the stream is out. */
function countDoubts({ account, gone, before, deletion }: Found): Doubt[] {
  const { held, truth, isOff } = account;
  if (truth === undefined) {
    if (isOff === 'lacking') return [{ kind: 'lacking', text: 'the API has more records than could be read' }];
    if (isOff === 'surplus')
      return [{ kind: 'surplus', text: 'the API has fewer records than are held, and does not say how many' }];
    return gone.length > 0 ? [notFound(gone.length)] : [];
  }
  const surplus = held - truth;
  const isSettledNow = surplus === gone.length && (gone.length === 0 || deletion !== undefined);
  if (isSettledNow || (surplus > 0 && surplus === before.missingRows && gone.length === 0)) return [];
  if (surplus < 0) {
    const text = `the API counts ${counted(truth, 'record')}, but only ${count(held)} could be read`;
    return [{ kind: 'lacking', text, count: -surplus }];
  }
  if (surplus === 0) return [notFound(gone.length)];
  const text = `the API counts ${counted(truth, 'record')}, but ${count(held)} are held; it is not certain which ones are gone`;
  return [{ kind: 'surplus', text, count: surplus }];
}

function notFound(rows: number): Doubt {
  const text = `${counted(rows, 'row')} did not come, although the API counts as many records as before`;
  return { kind: 'contradiction', text, count: rows };
}

/** Doubts about rows that earlier readings missed and this one did not cover. */
function pendingDoubts(before: Position, after: Position, withheldRows: number): Doubt[] {
  const withheld = before.doubts.filter(({ kind }) => kind === 'withheld');
  if (withheldRows > 0) return withheld;
  return after.missingRows > 0 ? [missingDoubt(after.missingRows)] : [];
}

/** Some endpoints answer as if an experiment that is no longer accessible had no records. */
function goneDoubts({ stream: { experimentId, dataset }, warehouse }: Session): Doubt[] {
  if (dataset.read === 'single') return [];
  const experiment = readPosition(warehouse.db, { experimentId, dataset: experiments, scope: { kind: 'experiment' } });
  return experiment.doubts.filter(({ kind }) => kind === 'gone');
}

/**
 * Compares with the count in the experiment's own record, because a list may end at a page and count only that page
 * (release notes of 0.6.64).
 */
function uncountedDoubts(session: Session, { held, truth }: Account): Doubt[] {
  const counts = countedElsewhere(session);
  const listed = truth ?? held;
  if (counts <= listed) return [];
  const text = `the experiment counts ${count(counts)} ${session.stream.dataset.name}, but only ${count(listed)} could be listed`;
  return [{ kind: 'lacking', text, count: counts - listed }];
}

/** What is only requested by room or deployment cannot be read where one of these has no id for a request. */
function unnamedDoubts({ stream: { dataset, experimentId, scope }, warehouse, config }: Session): Doubt[] {
  const part = dataset.listsParts;
  if (part === undefined || scope.kind !== 'experiment') return [];
  const unnamed = countUnnamed(warehouse.db, part, experimentId);
  const lacking = unnamed === 0 ? [] : readForEach(part, config, experimentId);
  if (lacking.length === 0) return [];
  const [one, has] = [part.slice(0, -1), unnamed === 1 ? 'has' : 'have'];
  const text = `${counted(unnamed, one)} ${has} an id that no request can name, so that ${lacking.join(' and ')} cannot be read there`;
  return [{ kind: 'lacking', text, count: unnamed }];
}

/**
 * Most records name a room and no deployment. While it is not known which rooms a deployment has, its rows count as those
 * of others, and none that the API no longer sends would be missed.
 */
function unassignedDoubts({ stream, warehouse }: Session, before: Position, after: Position): Doubt[] {
  const { dataset, experimentId, scope } = stream;
  const has = (name: string) => dataset.columns.some((column) => column.name === name);
  if (scope.kind !== 'deployment' || !dataset.scopes.includes('experiment') || !has('room_id')) return [];
  if (has('deployment_id') && before.elsewhereRows === 0 && after.elsewhereRows === 0) return [];
  if (readPosition(warehouse.db, { experimentId, dataset: deploymentSessions, scope }).complete) return [];
  const text = `without a complete list of the rooms of deployment ${scope.id}, rows that are gone cannot be found; data has to include ${deploymentSessions.name}`;
  return [{ kind: 'unproven', text }];
}

export function isCountedAbove(session: Session, truth: number | undefined): boolean {
  return truth !== undefined && countedElsewhere(session) > truth;
}

/** How many records of the stream the experiment's own record counts; 0 if it does not count them. */
function countedElsewhere({ stream, warehouse }: Session): number {
  const { dataset, experimentId, scope, filter } = stream;
  if (dataset.countedBy === undefined || scope.kind !== 'experiment' || filter !== undefined) return 0;
  return countedInExperiment(warehouse.db, experimentId, dataset.countedBy);
}

function quarantineDoubts({ quarantinedRecords }: Position): Doubt[] {
  if (quarantinedRecords === 0) return [];
  const [as, are] = quarantinedRecords === 1 ? ['a row', 'is'] : ['rows', 'are'];
  const text = `${counted(quarantinedRecords, 'record')} could not be stored as ${as} and ${are} kept in _quarantine`;
  return [{ kind: 'quarantined', text, count: quarantinedRecords }];
}

/** How many rows are further ahead of the server's clock than browsers' clocks usually are. */
function countAhead(session: Session): number {
  const { stream, warehouse } = session;
  if (stream.dataset.timeColumn === undefined) return 0;
  return countRows(warehouse.db, stream, { from: serverNow(session) + FAST_CLOCK_MS }) ?? 0;
}

function aheadDoubts(rows: number, now: number): Doubt[] {
  if (rows === 0) return [];
  const are = rows === 1 ? 'is' : 'are';
  const text = `${counted(rows, 'row')} ${are} dated in the future (after ${formatTime(now).slice(0, 16)}Z)`;
  return [{ kind: 'dated-ahead', text, count: rows }];
}

/** Writes to variables that HyperStudy itself lost. An empty list means that none were. */
function droppedDoubts({ reader }: Session): Doubt[] {
  const dropped = reader.serverInfo().metadata['droppedWrites'];
  if (!Array.isArray(dropped) || dropped.length === 0) return [];
  const text = `HyperStudy reports that it lost ${counted(dropped.length, 'write')} to variables of this room`;
  return [{ kind: 'dropped-writes', text, count: dropped.length }];
}

function sharedDoubts({ stream, warehouse, sink }: Session, before: Position): Doubt[] {
  const wasShared = before.doubts.some(({ kind }) => kind === 'shared-id');
  if (stream.dataset.identity.length === 0 || !(wasShared || sink.seen.hasSharedIds)) return [];
  const shared = keysWithOrdinals(warehouse.db, stream).size;
  if (shared === 0) return [];
  const text = `${counted(shared, 'record')} ${shared === 1 ? 'shares its id' : 'share their ids'} with another one; all are stored`;
  return [{ kind: 'shared-id', text, count: shared }];
}
