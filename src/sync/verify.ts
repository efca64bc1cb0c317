import type { Stream } from '../datasets/stream.ts';
import { WarehouseError } from '../shared/errors.ts';
import { countRows } from '../warehouse/rows.ts';
import { byTime } from './incremental.ts';
import { compareRange, readRange } from './reconcile.ts';
import type { Session } from './session.ts';
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
