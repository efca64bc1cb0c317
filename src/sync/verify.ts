import type { Stream } from '../datasets/stream.ts';
import type { Selection } from '../schedule/streams.ts';
import { stopsEverything, WarehouseError } from '../shared/errors.ts';
import { formatTime } from '../shared/time.ts';
import { isBlocking, reasonOf, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import { countQuarantined } from '../warehouse/quarantine.ts';
import { countErased } from '../warehouse/erased-records.ts';
import type { Db } from '../warehouse/open.ts';
import { readPosition, type Position } from '../warehouse/positions.ts';
import { countRows } from '../warehouse/records.ts';
import { surveyExperiments, withGone } from './experiments.ts';
import { byTime } from './incremental.ts';
import { prove } from './prove.ts';
import { compareRange, readRange } from '../read/reconcile.ts';
import { counting, recorded, type Recording } from './recording.ts';
import { knownStreams } from './run.ts';
import { serverNow, type Reading, type Session } from '../read/session.ts';
import type { Differences } from '../read/differences.ts';
import { committing, comparing } from '../read/sink.ts';
import { readSnapshot } from './snapshot.ts';
import { openSession, type SyncContext } from './open-session.ts';
import { unlistedStreams } from './roster.ts';
import { named } from './stream.ts';
import { compareDerived, rebuild, type Rebuilt } from '../derive/rebuild.ts';
import { rememberList, type ListIssue } from '../warehouse/experiment-list.ts';

/** If a stream is larger than a page, its counts are compared in at least 2 to the power of this many parts. */
const HALVINGS = 4;

/** The verdict about one stream, as `verify --json` prints it. */
export interface Verdict {
  readonly experiment: string;
  readonly data: string;
  /** equal · different · repaired · unknown: neither could be proven. */
  readonly status: 'equal' | 'different' | 'repaired' | 'unknown';
  /** What the verdict is based on: a comparison of every record, or of the counts alone. */
  readonly proof: 'content' | 'counts';
  readonly rows: number | null;
  /** Records that could not be stored as rows; they count as held. */
  readonly quarantined: number;
  /** Keys of rows that were missing from the table, that differ, and that the API no longer has. */
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly extra: readonly string[];
  /** Keys of records that came after the last sync, which could not have them; they are no difference. */
  readonly newer: readonly string[];
  readonly requests: number;
  readonly reason?: string;
}

export interface VerifyOptions {
  /** Read and compare every record, even if the counts are equal. */
  readonly deep: boolean;
  /** Repair the differences. */
  readonly repair: boolean;
}

/** What a verification found, as `verify --json` prints it. */
export interface VerifyResult {
  /** When it began, ISO 8601 UTC. */
  readonly at: string;
  readonly requests: number;
  readonly durationMs: number;
  readonly streams: readonly Verdict[];
  /**
   * What is wrong beyond single streams: experiments that are gone, a list of experiments that is empty or not whole.
   */
  readonly issues: readonly ListIssue[];
  /** Derived tables with rows that do not follow from the mirrored ones; with `repair` they were computed again. */
  readonly derived: readonly Rebuilt[];
}

export interface Verification extends SyncContext, VerifyOptions {
  readonly selection: Selection;
  readonly onVerdict?: ((stream: Stream, verdict: Verdict) => void) | undefined;
  /** Runs a check once no other read of the stream is in progress; by default at once. */
  readonly whenFree?: ((stream: Stream, check: Check) => Promise<Verdict>) | undefined;
}

export type Check = (context: SyncContext) => Promise<Verdict>;

/**
 * Compares everything that is configured or selected with the API, one stream after the other.
 * @throws WarehouseError when nothing more can be read or written: key refused, interrupted, disk full.
 */
export function runVerify(verification: Verification): Promise<VerifyResult> {
  const { selection, deep, repair, acceptDeletes } = verification;
  if (!repair) return compareAll(verification);
  const options = { ...selection, ...(deep ? { deep } : {}), ...(acceptDeletes ? { acceptDeletes } : {}) };
  return recorded(
    verification,
    { kind: 'verify --repair', options },
    (recording) => compareAll(verification, recording),
    (result) => isProven(result, true),
  );
}

async function compareAll(verification: Verification, recording?: Recording): Promise<VerifyResult> {
  const { clock, warehouse, config, selection, deep, repair, onVerdict } = verification;
  const whenFree = verification.whenFree ?? ((_: Stream, check: Check) => check(verification));
  const startedAt = clock.now();
  // Others may use the same client at the same time.
  let requests = 0;
  const counted = (context: SyncContext): SyncContext => {
    const within = recording?.within(context) ?? context;
    return { ...within, client: counting(within.client, () => requests++) };
  };
  const survey = await surveyExperiments({ ...verification, ...counted(verification) });
  if (selection.experiments === undefined) rememberList(warehouse.db, survey.issues, startedAt);
  const streams: Verdict[] = [];
  const planned = knownStreams({ config, warehouse, selection, full: true }, withGone(verification, survey));
  const report = (stream: Stream, verdict: Verdict) => {
    recording?.note(stream, isEqual(verdict));
    streams.push(verdict);
    onVerdict?.(stream, verdict);
  };
  for (const stream of planned) {
    report(stream, await whenFree(stream, (context) => verifyStream(counted(context), stream, { deep, repair })));
  }
  for (const stream of unlistedStreams(warehouse.db, planned)) {
    if (selection.data?.includes(stream.dataset.name) !== false) report(stream, unlistedVerdict(warehouse.db, stream));
  }
  const { issues } = survey;
  const derived = checkDerived(warehouse.db, repair);
  return { at: formatTime(startedAt), requests, durationMs: clock.now() - startedAt, streams, issues, derived };
}

/**
 * Of a room or deployment that is no longer listed nothing is requested: the API may still answer, for another
 * experiment, but the kept rows are not shown to be its own.
 */
function unlistedVerdict(db: Db, stream: Stream): Verdict {
  return {
    ...named(stream),
    status: 'unknown',
    proof: 'counts',
    rows: rowsHeld(db, stream),
    quarantined: countQuarantined(db, stream),
    missing: [],
    changed: [],
    extra: [],
    newer: [],
    requests: 0,
    reason: `unknown: ${readPosition(db, stream).reason ?? ''}`,
  };
}

/** The derived tables that differ from what they follow from. */
function checkDerived(db: Db, repair: boolean): Rebuilt[] {
  const compared = repair ? db.transaction(() => rebuild(db)).immediate() : compareDerived(db);
  return compared.filter(({ rows }) => rows > 0);
}

/** Whether every stream is proven to equal the API now, and nothing suggests that there are others. */
export function isProven({ streams, issues, derived }: VerifyResult, repair = false): boolean {
  return streams.length > 0 && issues.length === 0 && streams.every(isEqual) && (repair || derived.length === 0);
}

function isEqual({ status }: Verdict): boolean {
  return status === 'equal' || status === 'repaired';
}

/**
 * Compares a stream with the API and names every difference by its key. It halves time ranges whose counts differ, so
 * that it reads only the pages with differences. Data types without a time filter are always listed whole. The status
 * is `equal` only if every record is accounted for.
 * @throws WarehouseError if no other stream could be verified either.
 */
export async function verifyStream(context: SyncContext, stream: Stream, options: VerifyOptions): Promise<Verdict> {
  const { repair, deep } = options;
  const before = readPosition(context.warehouse.db, stream);
  const first = await verifyOnce(context, stream, before, options);
  // A row that is gone is deleted when two readings miss it, and a repeat is a record when two show it; asked for by
  // hand, one can follow the other.
  const isPending = repair && first.doubts.some(({ kind }) => kind === 'missing-upstream' || kind === 'repeated');
  const second = isPending ? await verifyOnce(context, stream, before, options) : first;
  const { missing, changed, extra } = first.differences;
  const doubts = second.doubts.filter(({ kind }) => !ARE_DIFFERENCES.has(kind));
  const isWithheld = second.doubts.some(({ kind }) => kind === 'withheld');
  const isDifferent = missing.size + changed.size + extra.size > 0;
  const isUnknown = doubts.some(isBlocking);
  const isRepaired = repair && !isWithheld;
  return {
    ...named(stream),
    status: isUnknown ? 'unknown' : !isDifferent ? 'equal' : isRepaired ? 'repaired' : 'different',
    proof: deep || stream.dataset.read !== 'incremental' ? 'content' : 'counts',
    rows: rowsHeld(context.warehouse.db, stream),
    quarantined: countQuarantined(context.warehouse.db, stream),
    missing: [...missing].sort(),
    changed: [...changed].sort(),
    extra: [...extra].sort(),
    newer: [...first.newer].sort(),
    requests: first.requests + (isPending ? second.requests : 0),
    ...(isUnknown ? { reason: `unknown: ${reasonOf(doubts) ?? ''}` } : {}),
  };
}

/** How many rows the table has of the stream; null where it does not show that. */
function rowsHeld(db: Db, stream: Stream): number | null {
  const held = countRows(db, stream);
  return held === undefined ? null : held - countErased(db, stream);
}

/** Doubts that the verdict reports as differences, or that are about accounted records. */
const ARE_DIFFERENCES: ReadonlySet<DoubtKind> = new Set(['missing-upstream', 'withheld', 'quarantined', 'schema']);

interface Verified {
  readonly doubts: readonly Doubt[];
  readonly differences: Differences;
  readonly newer: ReadonlySet<string>;
  readonly requests: number;
}

async function verifyOnce(
  context: SyncContext,
  stream: Stream,
  before: Position,
  { deep, repair }: VerifyOptions,
): Promise<Verified> {
  const { warehouse } = context;
  const sink = repair
    ? committing(warehouse, stream, { withDifferences: true, freezes: context.config.schema === 'freeze' })
    : comparing(warehouse, stream);
  const session: Session = { ...openSession({ ...context, full: true }, stream, sink), confirmAfterMs: 0 };
  const heldBefore = sink.held();
  const verified = (doubts: readonly Doubt[]): Verified => ({
    doubts,
    ...withoutNewer(session, sink.differences, before, heldBefore),
    requests: session.meter.cost().requests,
  });
  try {
    const proof = await prove(session, await compare(session, deep), true);
    sink.note(proof.position);
    return verified(proof.doubts);
  } catch (error) {
    if (!(error instanceof WarehouseError) || stopsEverything(error.code)) throw error;
    return verified([{ kind: 'failed', text: error.message }]);
  } finally {
    sink.close();
  }
}

async function compare(session: Session, deep: boolean): Promise<Reading> {
  if (session.stream.dataset.read !== 'incremental') return readSnapshot(session);
  return byTime(session, () => (deep ? readRange(session, {}) : compareRange(session, {}, HALVINGS)));
}

/**
 * Distinguishes records that came after the last sync from missing ones. All of them did if the table still has as many as the
 * API had when they were last accounted for, and none that the API has not; otherwise those dated after its beginning.
 * Those dated after the first answer came while the stream was read.
 */
function withoutNewer(
  session: Session,
  { missing, times, ...others }: Differences,
  { complete, apiTotal, dataAsOf }: Position,
  heldBefore: number,
): Pick<Verified, 'differences' | 'newer'> {
  const began = session.reader.serverInfo().firstServerTime ?? Infinity;
  const synced = dataAsOf === undefined ? Infinity : dataAsOf + serverNow(session) - session.clock.now();
  const isAccounted = complete && apiTotal === heldBefore && others.extra.size === 0;
  const dated = (key: string) => times.get(key) ?? -Infinity;
  const left = new Set([...missing].filter((key) => dated(key) < began));
  const newer = new Set([...left].filter((key) => isAccounted || dated(key) >= synced));
  return { differences: { ...others, times, missing: left.difference(newer) }, newer };
}
