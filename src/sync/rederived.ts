import { counted } from '../shared/count.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import { rereadDoubt, type Doubt } from '../warehouse/doubts.ts';
import type { Position } from '../warehouse/positions.ts';
import { schemaChangesAfter } from '../warehouse/schema-changes.ts';
import type { TraitValues } from '../read/endpoint-traits.ts';
import { areMany } from '../read/reread-mark.ts';
import type { Reading, Session } from '../read/session.ts';

/** What the changes of some known rows mean for all others. */
export interface Rederivation {
  readonly doubts: readonly Doubt[];
  /** Why the whole stream has to be read again; undefined if it does not. */
  readonly rereadReason: string | undefined;
  /** The server's basis from now on. */
  readonly basis: string | undefined;
}

/**
 * From time to time the server derives onsets, times and enriched fields of old rows again. If more than a few of the
 * known rows in a reading differ, or the server says that its processing or the experiment's start changed, other rows
 * may be out of date as well, and the whole stream has to be read again. A reading of the whole stream reports what
 * changed.
 */
export function rederivation(
  { sink, reader, stream, startedAt, traits, warehouse }: Session,
  position: Position,
  reading: Reading,
): Rederivation {
  const { updated, unchanged, changes, isMarked } = sink.tally;
  const before = isMarked ? unmarked(position) : position;
  // What rows only gain is reported as a new field.
  const isNewField = () =>
    [...changes.keys()].every((column) => column === 'extra') &&
    schemaChangesAfter(warehouse.db, startedAt - DAY_MS).some(({ data }) => data === stream.dataset.name);
  const isRederived = areMany(updated, unchanged);
  const basis = reader.serverInfo().basis ?? before.serverBasis;
  const kept = before.doubts.filter(({ kind }) => kind === 'rederived');
  // Lists such as that of the rooms change while a session runs, and are read whole anyway.
  const isWatched = stream.dataset.read === 'incremental' && before.backfilled;
  if (reading.isWhole === true && reading.doubts.length === 0) {
    const isNews = isRederived && (isWatched || before.rereadReason !== undefined) && !isNewField();
    const earlier = before.doubts.find(({ kind }) => kind === 'reread')?.count ?? 0;
    const doubts = isNews ? [changed(changes, earlier + updated, startedAt)] : kept;
    return { doubts, rereadReason: undefined, basis };
  }
  const change = before.backfilled ? basisChange(before.serverBasis, basis, traits.known.startMoved) : undefined;
  const moved = change !== undefined && isNewVersion(change, traits.known) ? change : undefined;
  if (moved?.isStart === true) traits.learn({ startMoved: true }, moved.text);
  else if (moved !== undefined)
    traits.learn({ versions: [...new Set([...(traits.known.versions ?? []), ...moved.versions])] }, moved.text);
  const reason =
    before.rereadReason ??
    moved?.text ??
    (isWatched && isRederived ? `the server changed ${columns(changes)}` : undefined);
  const doubts: Doubt[] = reason === undefined ? kept : [...kept, rereadDoubt(reason, updated)];
  return { doubts, rereadReason: reason, basis: change === moved ? basis : before.serverBasis };
}

/** The position without the mark of this reading, which is decided now. */
function unmarked(position: Position): Position {
  const doubts = position.doubts.filter(({ kind }) => kind !== 'reread');
  return { ...position, doubts, rereadReason: undefined };
}

/** More versions within a day are not of the processing, but of each answer. */
const MOST_VERSIONS = 4;

/**
 * Whether another version is a reason to read everything again: not one for which that was done within a day, as two
 * servers of different versions may answer in turn. The version before is kept, so that the change is noticed later.
 */
function isNewVersion({ isStart, versions: [, now = ''] }: BasisChange, { versions = [] }: TraitValues): boolean {
  return isStart || (versions.length < MOST_VERSIONS && !versions.includes(now));
}

function changed(changes: ReadonlyMap<string, number>, rows: number, at: number): Doubt {
  return {
    kind: 'rederived',
    text: `${named(changes).join(', ')} changed in ${counted(rows, 'row')}, as read on ${formatTime(at).slice(0, 10)}`,
    count: rows,
  };
}

/** The columns that changed most. */
function named(changes: ReadonlyMap<string, number>): string[] {
  return most(changes).map(([column]) => column);
}

/** The columns that changed most, each with its number of rows. */
function columns(changes: ReadonlyMap<string, number>): string {
  return most(changes)
    .map(([column, rows]) => `${column} of ${counted(rows, 'row')}`)
    .join(', ');
}

function most(changes: ReadonlyMap<string, number>): [column: string, rows: number][] {
  return [...changes].sort(([, a], [, b]) => b - a).slice(0, 3);
}

interface BasisChange {
  readonly text: string;
  readonly isStart: boolean;
  /** The version before and the one now; none if it is the start that moved. */
  readonly versions: readonly string[];
}

/** How the server's basis changed. A value that was not known before is not a change. */
function basisChange(
  before: string | undefined,
  now: string | undefined,
  startMoved: boolean | undefined,
): BasisChange | undefined {
  if (before === undefined || now === undefined || before === now) return undefined;
  const [was, is] = [parts(before), parts(now)];
  if (was.version !== undefined && is.version !== undefined && was.version !== is.version)
    return {
      text: `the server's processing changed from version ${was.version} to ${is.version}`,
      isStart: false,
      versions: [was.version, is.version],
    };
  // If the start depends on the request, it changes all the time.
  if (was.start !== undefined && is.start !== undefined && was.start !== is.start && startMoved !== true)
    return { text: `the experiment's start moved from ${was.start} to ${is.start}`, isStart: true, versions: [] };
  return undefined;
}

function parts(basis: string): { version: string | undefined; start: string | undefined } {
  const [version, start] = JSON.parse(basis) as unknown[];
  const text = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 40) : undefined;
  return { version: text(version), start: text(start) };
}
