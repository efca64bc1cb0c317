import { visible } from '../../src/simulator/world.ts';
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { counted, textOf } from './mirror.ts';

/** What a table holds beside the lives of the records that it should hold. */
export interface Comparison {
  /** Records that the API had throughout, and the table has in no version. */
  readonly missing: readonly Life[];
  /** Records that the table has as they once were. */
  readonly stale: readonly { readonly life: Life; readonly held: SimRecord }[];
  /** Records that the API no longer had, or rows that say what a record said before, beside one that says what it says. */
  readonly deleted: readonly { readonly held: SimRecord; readonly goneAt: number }[];
  /** Rows that the API never had, or not as often. */
  readonly invented: readonly SimRecord[];
}

/**
 * Compares rows with what the API held from one time to another: each record may be there in any of the versions of that
 * time, and may be absent if it was absent at any of it.
 */
export function compare(
  lives: readonly Life[],
  held: readonly SimRecord[],
  { from, to, unsaid }: { from: number; to: number; unsaid: readonly string[] },
): Comparison {
  const rest = createRest(held, unsaid);
  const seen = lives.map((life) => ({ life, states: statesBetween(life, from, to) }));
  const firm = seen.filter(({ states }) => states.length === 1 && states[0] !== undefined);
  const loose = seen.filter(({ states }) => states.length > 1);
  const lacking = [...firm, ...loose].filter(({ states }) => {
    const found = states.some((state) => state !== undefined && rest.take(state) !== undefined);
    return !found && !states.includes(undefined);
  });
  const missing: Life[] = [];
  const stale: { life: Life; held: SimRecord }[] = [];
  for (const { life } of lacking) {
    const former = rest.takeAny(life);
    if (former === undefined) missing.push(life);
    else stale.push({ life, held: former });
  }
  const deleted: { held: SimRecord; goneAt: number }[] = [];
  for (const life of lives) {
    const isGone = life.removedAt <= from;
    const goneAt = isGone ? life.removedAt : changedAt(life, from);
    const row = isGone ? rest.takeAny(life) : rest.takeFormer(life, from);
    if (row !== undefined) deleted.push({ held: row, goneAt });
  }
  return { missing, stale, deleted, invented: rest.all() };
}

/** When a record came to be what it was at a time. */
export function changedAt({ versions }: Life, at: number): number {
  return versions.findLast((version) => version.from <= at)?.from ?? -Infinity;
}

/** What the API showed of a record from one time to another, each version once; undefined: it was not there. */
function statesBetween(life: Life, from: number, to: number): (SimRecord | undefined)[] {
  const times = [from, ...life.versions.map((version) => version.from), life.removedAt];
  return [...new Set(times.filter((time) => time >= from && time <= to).map((time) => visible(life, time)))];
}

/** The rows that no record has been found for so far. */
function createRest(held: readonly SimRecord[], unsaid: readonly string[]) {
  const rows = Map.groupBy(held, (record) => textOf(record, unsaid));
  const take = (record: SimRecord) => rows.get(textOf(record, unsaid))?.pop();
  const takeFirst = (versions: Life['versions']) => {
    const there = versions.find(({ record }) => (rows.get(textOf(record, unsaid))?.length ?? 0) > 0);
    return there === undefined ? undefined : take(there.record);
  };
  return {
    take,
    takeAny: ({ versions }: Life) => takeFirst(versions),
    /** A version that ended by a time. */
    takeFormer({ versions }: Life, at: number): SimRecord | undefined {
      const ended = versions.filter((_, i) => (versions[i + 1]?.from ?? Infinity) <= at);
      return takeFirst(ended);
    },
    all: () => [...rows.values()].flat(),
  };
}

/** Of the records that were there unchanged from one time to another, how often each occurs, as text. */
export function steady(
  lives: readonly Life[],
  { from, to, unsaid }: { from: number; to: number; unsaid: readonly string[] },
): Map<string, number> {
  const states = lives.map((life) => statesBetween(life, from, to));
  const firm = states.flatMap((all) => (all.length === 1 && all[0] !== undefined ? [all[0]] : []));
  return counted(firm.map((record) => textOf(record, unsaid)));
}
