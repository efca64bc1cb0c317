import type { Client } from '../api/client.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Selection } from '../plan/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import { formatTime } from '../shared/time.ts';
import { countRows } from '../warehouse/rows.ts';
import { findExperiments } from './experiments.ts';
import { byTime } from './incremental.ts';
import { compareRange, readRange } from './reconcile.ts';
import { knownStreams } from './run.ts';
import { settleKept, type Session } from './session.ts';
import { readSnapshot } from './snapshot.ts';
import { ENDS_ALL, named, openSession, type SyncContext } from './stream.ts';

/** Counts are compared in at least 2 to the power of this many parts, where a stream is larger than a page. */
const HALVINGS = 4;

/** What was proven of one stream, in the words of `verify --json`. */
export interface Verdict {
  readonly experiment: string;
  readonly data: string;
  /** equal · different · repaired · unknown: it could not be proven either way. */
  readonly status: 'equal' | 'different' | 'repaired' | 'unknown';
  /** What the verdict rests on: every record compared, or the API's counts alone. */
  readonly proof: 'content' | 'counts';
  readonly rows: number | null;
  /** Keys of rows that the API has and the table had not, that differ, and that the API has no longer. */
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly extra: readonly string[];
  readonly requests: number;
  readonly reason?: string;
}

export interface VerifyOptions {
  /** Read every record and compare it, rather than counts where those are equal. */
  readonly deep: boolean;
  /** Write what differs. */
  readonly repair: boolean;
}

/** What a verification found, as `verify --json` prints it. */
export interface VerifyResult {
  /** When it began, ISO 8601 UTC. */
  readonly at: string;
  readonly requests: number;
  readonly durationMs: number;
  readonly streams: readonly Verdict[];
}

export interface Verification extends SyncContext, VerifyOptions {
  readonly selection: Selection;
  readonly onVerdict?: ((stream: Stream, verdict: Verdict) => void) | undefined;
  /** Has a stream checked once nobody else reads it, with what is then to be used; by default at once. */
  readonly whenFree?: ((stream: Stream, check: Check) => Promise<Verdict>) | undefined;
}

export type Check = (context: SyncContext) => Promise<Verdict>;

/**
 * Compares everything that is configured or selected with the API, one stream after the other.
 * @throws WarehouseError when nothing more can be read or written: key refused, interrupted, disk full.
 */
export async function runVerify(verification: Verification): Promise<VerifyResult> {
  const { clock, warehouse, config, selection, deep, repair, onVerdict } = verification;
  const whenFree = verification.whenFree ?? ((_: Stream, check: Check) => check(verification));
  const startedAt = clock.now();
  // Others may use the same client meanwhile.
  let requests = 0;
  const counted = (client: Client): Client => ({
    ...client,
    get: (request) =>
      client.get({
        ...request,
        onTry() {
          requests++;
          request.onTry?.();
        },
      }),
  });
  const experiments = await findExperiments({ ...verification, client: counted(verification.client) });
  const streams: Verdict[] = [];
  for (const stream of knownStreams({ config, warehouse, selection, full: true }, experiments)) {
    const verdict = await whenFree(stream, (context) =>
      verifyStream({ ...context, client: counted(context.client) }, stream, { deep, repair }),
    );
    streams.push(verdict);
    onVerdict?.(stream, verdict);
  }
  return { at: formatTime(startedAt), requests, durationMs: clock.now() - startedAt, streams };
}

/** Whether every stream is proven to equal the API now. */
export function isProven({ streams }: VerifyResult): boolean {
  return streams.every(({ status }) => status === 'equal' || status === 'repaired');
}

/**
 * Compares a stream with the API and names every difference by its key; halving time ranges whose counts differ, it
 * reads only the pages that hold differences. Data types without a time filter are always listed whole.
 * @throws WarehouseError when no other stream could be verified either.
 */
export async function verifyStream(
  context: SyncContext,
  stream: Stream,
  { deep, repair }: VerifyOptions,
): Promise<Verdict> {
  const audit = { missing: new Set<string>(), changed: new Set<string>(), extra: new Set<string>() };
  const session: Session = { ...openSession({ ...context, full: true }, stream), audit, dry: !repair };
  const isTimed = stream.dataset.read === 'incremental';
  try {
    if (!isTimed) await readSnapshot(session);
    else await byTime(session, () => (deep ? readRange(session, {}) : compareRange(session, {}, HALVINGS)));
  } catch (error) {
    if (!(error instanceof WarehouseError) || ENDS_ALL.has(error.code)) throw error;
    session.doubts.add(error.message);
  }
  if (repair && session.doubts.size === 0) settleKept(session);
  const isDifferent = audit.missing.size + audit.changed.size + audit.extra.size > 0;
  const { doubts, reader, warehouse } = session;
  return {
    ...named(stream),
    status: doubts.size > 0 ? 'unknown' : !isDifferent ? 'equal' : repair ? 'repaired' : 'different',
    proof: deep || !isTimed ? 'content' : 'counts',
    rows: countRows(warehouse.db, stream) ?? null,
    missing: [...audit.missing].sort(),
    changed: [...audit.changed].sort(),
    extra: [...audit.extra].sort(),
    requests: reader.spent.requests,
    ...(doubts.size > 0 ? { reason: [...doubts].join('; ') } : {}),
  };
}
