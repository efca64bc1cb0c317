import type { Config } from '../config/schema.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { readPosition, type Position } from '../warehouse/positions.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { compareRows } from '../warehouse/compare.ts';
import { countRows } from '../warehouse/rows.ts';
import type { Committed, Warehouse } from '../warehouse/warehouse.ts';
import type { Memory } from './learned.ts';
import type { Page, Reader } from './reader.ts';

/** Everything one sync of one stream works with. */
export interface Session {
  readonly stream: Stream;
  readonly reader: Reader;
  readonly memory: Memory;
  readonly warehouse: Warehouse;
  readonly config: Pick<Config, 'lookbackMs' | 'deletes'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Local time at which this sync of the stream began. */
  readonly startedAt: number;
  /** Read everything again instead of going on from the watermark. */
  readonly full: boolean;
  /** Let rows vanish that the brake would keep. */
  readonly acceptDeletes: boolean;
  /** Collects what differs from the API, for `verify`. */
  readonly audit?: Audit | undefined;
  /** Look only: rows and position stay as they are. */
  readonly dry?: boolean;
  /** A reader of the same data type in one of the experiment's rooms. */
  readonly inRoom: (room: string) => Reader;
  readonly counts: {
    inserted: number;
    updated: number;
    unchanged: number;
    deleted: number;
    bad: number;
    /** The earliest time of the rows that were inserted. */
    oldestNew: number | undefined;
  };
  /** Why the stream may be incomplete after this sync. */
  readonly doubts: Set<string>;
  /** Those doubts that narrower requests may clear up: the API said that its answer lacks records. */
  readonly partial: Set<string>;
}

/** What was found to differ, by key. */
export interface Audit {
  readonly missing: Set<string>;
  readonly changed: Set<string>;
  readonly extra: Set<string>;
}

export function position({ warehouse, stream }: Session): Position {
  return readPosition(warehouse.db, stream);
}

/** Notes why an answer may lack records. */
export function doubt({ doubts, partial }: Session, page: Pick<Page, 'doubts'>): void {
  for (const why of page.doubts) {
    doubts.add(why);
    partial.add(why);
  }
}

/** Commits rows and position in one transaction and counts what it did; an audit notes first what differs. */
export function write(
  session: Session,
  batch: {
    rows: readonly Row[];
    bad?: readonly BadRecord[];
    vanished?: readonly string[];
    isWholeAndClean?: boolean;
    position?: Partial<Position>;
  },
): Committed {
  const { warehouse, stream, counts } = session;
  if (session.audit !== undefined) note(session, session.audit, batch);
  const committed = session.dry === true ? untouched(session) : warehouse.commit(stream, batch);
  counts.inserted += committed.inserted;
  counts.updated += committed.updated;
  counts.unchanged += committed.unchanged;
  counts.deleted += committed.deleted;
  if (committed.oldestNew !== undefined)
    counts.oldestNew = Math.min(counts.oldestNew ?? committed.oldestNew, committed.oldestNew);
  counts.bad += batch.bad?.length ?? 0;
  return committed;
}

function note(
  { warehouse, stream }: Session,
  audit: Audit,
  batch: { rows: readonly Row[]; vanished?: readonly string[] },
): void {
  const { missing, changed } = compareRows(warehouse.db, stream, batch.rows);
  for (const key of missing) audit.missing.add(key);
  for (const key of changed) audit.changed.add(key);
  for (const key of batch.vanished ?? []) audit.extra.add(key);
}

function untouched(session: Session): Committed {
  return { inserted: 0, updated: 0, unchanged: 0, deleted: 0, oldestNew: undefined, position: position(session) };
}

/** What the reason of a stream says whose vanished rows were kept. */
const KEPT = 'rows are no longer in the API; they were kept';
const KEPT_PART = new RegExp(`\\d+ of \\d+ ${KEPT}[^)]*\\)`);

/** Whether a stream's reason for being incomplete is that the brake kept vanished rows. */
export function isBraked(reason: string): boolean {
  return reason.search(KEPT_PART) === 0;
}

/** What a reason says of rows that the brake kept; undefined where it says nothing of them. */
export function keptPart(reason: string | undefined): string | undefined {
  return KEPT_PART.exec(reason ?? '')?.[0];
}

/** Why a stream may be incomplete, in words: what waits for a person's answer first. */
export function reasonOf(doubts: Iterable<string>): string {
  return [...doubts].sort((a, b) => Number(isBraked(b)) - Number(isBraked(a))).join('; ');
}

/** A read found every row that the API has, and no other: no kept rows wait for an answer any more. */
export function settleKept(session: Session): void {
  const { reason = '' } = position(session);
  const kept = keptPart(reason);
  if (kept === undefined) return;
  const rest = reason
    .replace(kept, '')
    .replace(/^; |; $/, '')
    .replace('; ; ', '; ');
  const settled = rest === '' ? { doubts: [], lastStatus: 'ok' } : { doubts: inWords(rest) };
  write(session, { rows: [], position: settled });
}

/** Fewer rows than this may vanish at once in any stream. */
const FEW = 10;

/**
 * Of the rows that a complete, clean read no longer had, those that may go: all of them, or none when so large a share
 * of the stream would vanish at once that the answer is doubted. All of a stream vanishing is always doubted.
 */
export function braked(session: Session, vanished: readonly string[]): readonly string[] {
  // Counting the rows of a large stream takes long, and this is asked at every poll.
  if (vanished.length < 2) return vanished;
  const rows = countRows(session.warehouse.db, session.stream) ?? 0;
  const isMuch = vanished.length >= FEW && vanished.length > session.config.deletes.maxShare * rows;
  const isAll = vanished.length === rows;
  if (session.acceptDeletes || !(isMuch || isAll)) return vanished;
  session.doubts.add(
    `${vanished.length} of ${rows} ${KEPT}, as so many at once may be a mistake (accept with: hsw sync now --accept-deletes)`,
  );
  return [];
}

/** Doubts of a reason in words. */
export function inWords(reason: string | undefined): Doubt[] {
  if (reason === undefined || reason === '') return [];
  return [{ kind: isBraked(reason) ? 'withheld' : 'earlier', text: reason }];
}
