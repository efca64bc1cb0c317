import { visible } from '../../src/simulator/world.ts';
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { counted, textOf } from './mirror.ts';

/** What a table holds beside the lives of the records that it should hold. */
export interface Comparison {
  /** Records that the API had throughout, and the table has in no version. */
  readonly missing: readonly Life[];
  /** Records that the table has as they once were. */
  readonly stale: readonly { readonly life: Life; readonly held: SimRecord }[];
  /** Records that the API no longer had. */
  readonly deleted: readonly { readonly life: Life; readonly held: SimRecord }[];
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
  const deleted = lives
    .filter((life) => life.removedAt <= from)
    .map((life) => ({ life, held: rest.takeAny(life) }))
    .filter((pair): pair is { life: Life; held: SimRecord } => pair.held !== undefined);
  return { missing, stale, deleted, invented: rest.all() };
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
  return {
    take,
    takeAny(life: Life): SimRecord | undefined {
      for (const { record } of life.versions) {
        const found = take(record);
        if (found !== undefined) return found;
      }
      return undefined;
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
