import { datasetNamed } from '../../src/datasets/registry.ts';
import { roomOf } from '../../src/simulator/catalogue/entry.ts';
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { visible, type World } from '../../src/simulator/world.ts';
import type { Db } from '../../src/warehouse/open.ts';
import { changedAt, compare, type Comparison } from './compare.ts';
import { heldRecords, textOf } from './mirror.ts';
import { isErased, toBeHeld } from './withdrawal.ts';
import { beganBy, isCounted, PAGE_SIZE, unsaid, type Run } from './state.ts';

/** A stream as `_streams` tells of it. */
interface Told {
  readonly data: string;
  readonly scope: string;
  readonly asOf: string;
  readonly verifiedAt: string | null;
}

/** A stream that says complete, its rows, and the lives of the records of its part of the experiment. */
export interface Part extends Told {
  readonly lives: readonly Life[];
  /** Those that the API lists: of erased people as well. */
  readonly listed: readonly Life[];
  readonly held: readonly SimRecord[];
}

/**
 * The promise: a stream that says complete holds what the API held when it was read. Excused is only what one idle
 * request cannot show, and only until the whole is read again (`unexcused`).
 * @param isUndisturbed no request of the last sync was lost, so that it has seen each refusal.
 */
export function brokenPromises(run: Run, db: Db, isUndisturbed: boolean): string[] {
  const told = db
    .prepare<[], Told>(
      `SELECT data, scope, data_as_of AS asOf, verified_at AS verifiedAt FROM _streams
       WHERE complete = 1 AND data_as_of IS NOT NULL AND data <> 'experiments'`,
    )
    .all();
  const refused = told.filter(
    ({ data, scope }) => isUndisturbed && scope === 'experiment' && isRefused(run, data, run.starts.at(-1) ?? 0),
  );
  return [
    ...told.flatMap((stream) => differences(run, partOf(run, db, stream))),
    ...refused.map((stream) => `${nameOf(stream)} says complete, and the API refused to tell of it`),
  ];
}

function nameOf({ data, scope }: Told): string {
  return scope === 'experiment' ? data : `${data} of ${scope}`;
}

function partOf(run: Run, db: Db, stream: Told): Part {
  const { experimentId, now, world } = run;
  const { data, scope } = stream;
  const [kind, id] = scope.split(':');
  const isOf = (record: SimRecord | undefined) =>
    kind === 'experiment' ||
    (record !== undefined &&
      (kind === 'room' ? roomOf(world.catalogue.get(data), record) : record['deploymentId']) === id);
  const livesIn = (from: World) =>
    from.lives(data, experimentId).filter((life) => isOf(visible(life, now) ?? life.versions.at(-1)?.record));
  return { ...stream, lives: livesIn(toBeHeld(run)), listed: livesIn(world), held: heldRecords(db, data).filter(isOf) };
}

/** Whether the experiment or the scope was away from the start of a sync to now. */
function isRefused({ world, wrong, now }: Run, data: string, began: number): boolean {
  return wrong.some((fault) => {
    const isThroughout = (fault.from ?? 0) <= began && (fault.until ?? Infinity) > now;
    if (!isThroughout) return false;
    if (fault.kind === 'experimentGone') return true;
    const scopes = world.catalogue.get(data)?.keyScopes ?? [];
    const { scope } = fault.kind === 'scopeLost' ? fault : {};
    return (
      fault.kind === 'scopeLost' &&
      (scope === undefined ? !scopes.includes('read:experiments') : scopes.every((needed) => needed === scope))
    );
  });
}

function differences(run: Run, part: Part): string[] {
  const from = beganBy(run, Date.parse(part.asOf));
  const found = compare(part.lives, part.held, { from, to: run.now, unsaid: unsaid(run, part.data) });
  const { missing, stale, deleted, invented } = unexcused(run, part, found, from);
  const said = (what: string, records: readonly (SimRecord | undefined)[]) =>
    records.length === 0
      ? []
      : [
          `${nameOf(part)} says complete and ${what} ${records.length} of ${part.held.length} rows, such as ${textOf(records[0] ?? {})}`,
        ];
  return [
    ...said(
      'lacks',
      missing.map((life) => visible(life, from)),
    ),
    ...said(
      'has a former version of',
      stale.map(({ held }) => held),
    ),
    ...said(
      'keeps',
      deleted.map(({ held }) => held),
    ),
    ...said('invents', invented),
  ];
}

/**
 * What remains once it is taken out what a poll of the newest page cannot show: an edit of a row behind that page; and
 * as many old rows deleted as came late, so that the total is the same, or deleted where answers tell no total. Neither
 * is excused where the stream says that it has verified everything since.
 */
export function unexcused(run: Run, part: Part, found: Comparison, from: number): Comparison {
  const since = part.verifiedAt === null ? -Infinity : beganBy(run, Date.parse(part.verifiedAt));
  const shown = shownFrom(run, part, from);
  const isOld = (record: SimRecord | undefined) => !(timeOf(part.data, record) > shown);
  const stale = found.stale.filter(({ life, held }) => {
    const changed = changedAt(life, from);
    const isHidden = isOld(held) && isOld(visible(life, from)) && changed >= since;
    return !isHidden || isRederivation(part, changed, shown);
  });
  // Records of erased people are counted as well: one that goes looks like one that did not come late.
  const erased = part.listed.filter((life) => isErased(run, part.data, life));
  const isOfLate = (at: number) => at >= since && at <= from;
  const goneErased = erased.filter(({ removedAt }) => isOfLate(removedAt)).length;
  const comeErased = erased.filter((life) => isOfLate(arrivalOf(life)) && arrivalOf(life) > run.erasedAt).length;
  const surplus = found.deleted.length + goneErased - found.missing.length;
  const isHiddenCount =
    (surplus >= 0 && surplus <= comeErased) || (found.missing.length === 0 && !isCounted(run, part.data));
  const isOldCount =
    found.missing.every(
      (life) => isOld(visible(life, from)) && arrivalOf(life) >= since && mayBeLate(run, part, life),
    ) && found.deleted.every(({ held, goneAt }) => isOld(held) && goneAt >= since);
  return isHiddenCount && isOldCount ? { ...found, stale, missing: [], deleted: [] } : { ...found, stale };
}

/**
 * Whether a record may have come behind others. One that was the newest when it came lies between the watermark and the
 * newest page until it is read; only where a filter leaves it out does the count alone show it.
 */
function mayBeLate({ readings, story }: Run, { data, listed }: Part, life: Life): boolean {
  const isListed = readings.timeFilter[data] !== undefined || readings.sort[data] !== undefined;
  const isBlind = story.some((line) => line.includes('"blindFilter"') && line.includes(`"${data}"`));
  if (datasetNamed(data).read !== 'incremental' || isListed || isBlind || life.versions.length > 1) return true;
  const arrival = arrivalOf(life);
  const before = listed
    .filter((other) => arrivalOf(other) < arrival)
    .flatMap(({ versions }) => versions.filter(({ from }) => from < arrival))
    .map(({ record }) => timeOf(data, record))
    .filter((time) => !Number.isNaN(time));
  return !(timeOf(data, life.versions[0]?.record) > before.reduce((a, b) => Math.max(a, b), -Infinity));
}

function arrivalOf({ versions }: Life): number {
  return versions[0]?.from ?? -Infinity;
}

/**
 * The time behind which a poll of the newest page shows nothing. Where there is no such poll, as every sync lists
 * everything, or the rooms that are not finished, nothing counts as shown.
 */
function shownFrom({ readings, lookbackMs }: Run, { data, listed }: Part, at: number): number {
  const { read } = datasetNamed(data);
  const isListed = readings.timeFilter[data] !== undefined || readings.sort[data] !== undefined;
  if (read !== 'incremental' || isListed) return Infinity;
  const times = listed
    .map((life) => timeOf(data, visible(life, at)))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => b - a);
  const newest = times.find((time) => time <= at) ?? -Infinity;
  const page = Math.min(PAGE_SIZE, readings.maxLimit);
  return Math.max(newest - lookbackMs, times[page - 1] ?? -Infinity);
}

function timeOf(data: string, record: SimRecord | undefined): number {
  const { timeField } = datasetNamed(data);
  const value = timeField === undefined ? undefined : record?.[timeField];
  return typeof value === 'string' ? Date.parse(value) : NaN;
}

/** Whether as many rows changed at once, in sight of a poll, as show that the server has derived its data again. */
function isRederivation({ data, lives }: Part, changed: number, shown: number): boolean {
  const inSight = lives.filter(({ versions }) => {
    const place = versions.findIndex(({ from }) => from === changed);
    const [before, after] = [versions[place - 1]?.record, versions[place]?.record];
    const isChange = before !== undefined && after !== undefined && textOf(before) !== textOf(after);
    return isChange && timeOf(data, after) > shown && timeOf(data, before) > shown;
  });
  return inSight.length >= 5 && inSight.length >= 0.02 * lives.length;
}
