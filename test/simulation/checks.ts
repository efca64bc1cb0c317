import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { compareDerived } from '../../src/derive/rebuild.ts';
import { roomOf } from '../../src/simulator/catalogue/entry.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import { heldNames } from '../../src/warehouse/held.ts';
import type { Db } from '../../src/warehouse/open.ts';
import { steady } from './compare.ts';
import { toBeHeld } from './withdrawal.ts';
import { counted, difference, mirrored, textOf } from './mirror.ts';
import { isCounted, strikes, UNPAGED, unsaid, type Run } from './state.ts';

export const COMPARED = DATASETS.map(({ name }) => name).filter((name) => name !== 'experiments');

/**
 * Rows that were in the table before a sync and are not after it, although the API had them all the while. Excused is a
 * record whose id another one has as well, while its stream says that it is incomplete: an answer that lacks one of the
 * two cannot be told from one that shows an edit, and what it writes over is in the history.
 */
export function lostRows(run: Run, db: Db): string[] {
  const { experimentId, now, held: before } = run;
  const world = toBeHeld(run);
  const from = run.starts.at(-1) ?? 0;
  return COMPARED.flatMap((data) => {
    const had = before.get(data) ?? new Map<string, number>();
    const has = counted(mirrored(db, data, unsaid(run, data)));
    before.set(data, has);
    const there = steady(world.lives(data, experimentId), { from, to: now, unsaid: unsaid(run, data) });
    const excused = isIncomplete(db, data) ? withSharedIds(run, data) : new Set<string>();
    const lost = [...there].filter(
      ([text, count]) => (has.get(text) ?? 0) < Math.min(count, had.get(text) ?? 0) && !excused.has(text),
    );
    return lost.length === 0
      ? []
      : [`${data}: ${lost.length} rows are gone that the API still has, such as ${lost[0]?.[0] ?? ''}`];
  });
}

function isIncomplete(db: Db, data: string): boolean {
  return db.prepare('SELECT 1 FROM _streams WHERE data = ? AND complete = 0').get(data) !== undefined;
}

/** The records, as text, whose id another one has as well or, without ids, what names them. */
export function withSharedIds(run: Run, data: string): ReadonlySet<string> {
  const { experimentId, now, idsByRoom } = run;
  const world = toBeHeld(run);
  const entry = world.catalogue.get(data);
  const fields = entry?.id === undefined ? (datasetNamed(data).naming ?? []) : [entry.id];
  if (fields.length === 0) return new Set();
  const isInRoom = idsByRoom || fields.includes('roomId');
  const nameOf = (record: SimRecord) =>
    JSON.stringify([isInRoom ? roomOf(entry, record) : null, ...fields.map((field) => record[field])]);
  const shared = [...Map.groupBy(world.records(data, experimentId, now), nameOf).values()].filter(
    ({ length }) => length > 1,
  );
  return new Set(shared.flat().map((record) => textOf(record, unsaid(run, data))));
}

/**
 * How a run ends once all is quiet and everything was read again: a data type equals the truth and says so, or says that
 * it does not know; the latter only where the API leaves a doubt for good.
 */
export function endsWell(run: Run, db: Db): string[] {
  const { experimentId, now } = run;
  const world = toBeHeld(run);
  return COMPARED.flatMap((data) => {
    const streams = db
      .prepare<[string], { scope: string; complete: number; reason: string | null }>(
        'SELECT scope, complete, reason FROM _streams WHERE data = ?',
      )
      .all(data);
    const doubtful = streams.filter(({ complete }) => complete === 0);
    const silent = doubtful.filter(({ reason }) => reason === null);
    if (silent.length > 0) return [`${data}: ${silent.length} streams are incomplete and do not say why`];
    if (doubtful.length > 0)
      return isDoubtful(run, data)
        ? []
        : [`${data}: incomplete in the end, though nothing is wrong any more: ${doubtful[0]?.reason ?? ''}`];
    const wrongAt = (at: number) => difference(db, data, world.records(data, experimentId, at), unsaid(run, data));
    const wrong = wrongAt(now);
    // A sync may wait for a limit: what came meanwhile may have come after its stream was read.
    const isWrong = wrong !== undefined && wrongAt(run.starts.at(-1) ?? now) !== undefined;
    return [...(isWrong ? [wrong] : []), ...numberedAlone(run, db, data)];
  });
}

/** Keys with an ordinal in a table of whose records each has an id of its own: they were taken for others once. */
function numberedAlone(run: Run, db: Db, data: string): string[] {
  const field = run.world.catalogue.get(data)?.id;
  if (field === undefined || withSharedIds(run, data).size > 0) return [];
  const keys = db
    .prepare<[], string>(`SELECT key FROM "${datasetNamed(data).table}" WHERE key LIKE '%#%'`)
    .pluck()
    .all();
  return keys.length === 0
    ? []
    : [`${data}: ${keys.length} records with ids of their own are numbered, such as ${keys[0] ?? ''}`];
}

/** Whether the API leaves a doubt about a data type even when all is quiet. */
function isDoubtful(run: Run, data: string): boolean {
  const { readings, lasting } = run;
  if (!UNPAGED.includes(data) && !isCounted(run, data)) return true;
  // What is cut is read room by room, which is the whole only where the list of rooms is.
  const isCut = lasting.some((fault) => fault.kind === 'truncated' || fault.kind === 'warned');
  if (isCut && data === 'agent-decisions' && !isCounted(run, 'rooms')) return true;
  // Exact repeats in a crowd whose order changes in every answer cannot be counted.
  if (readings.ties === 'shuffled' && run.world.catalogue.get(data)?.id === undefined) return true;
  return lasting.some(
    (fault) =>
      strikes(fault, data) &&
      (fault.kind === 'blindFilter' || (fault.kind === 'sortNeedsField' && lacksTime(run, data))),
  );
}

function lacksTime({ world, experimentId, now }: Run, data: string): boolean {
  const field = world.catalogue.get(data)?.time;
  return field !== undefined && world.records(data, experimentId, now).some((record) => record[field] === undefined);
}

/** No watermark is ahead of the newest record that the API has ever had, nor of the clock. */
export function wrongPositions({ world, experimentId, now }: Run, db: Db): string[] {
  const positions = db
    .prepare<[], { data: string; watermark: string | null; rows: number; scope: string }>(
      'SELECT data, watermark, rows, scope FROM _streams',
    )
    .all();
  return positions.flatMap(({ data, watermark, rows, scope }) => {
    const { table, timeField } = datasetNamed(data);
    const held = db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get();
    const isOff = scope === 'experiment' && held !== rows;
    const newest = world
      .lives(data, experimentId)
      .flatMap(({ versions }) => versions.filter(({ from }) => from <= now).map(({ record }) => record))
      .map((record) => Date.parse(String(timeField === undefined ? '' : record[timeField])))
      .filter((time) => !Number.isNaN(time));
    const isAhead =
      watermark !== null && timeField !== undefined && Date.parse(watermark) > Math.min(now, Math.max(...newest));
    return [
      ...(isOff ? [`${data}: _streams says ${rows} rows, the table holds ${String(held)}`] : []),
      ...(isAhead ? [`${data}: the watermark ${watermark} is ahead of the truth`] : []),
    ];
  });
}

/** Derived tables that are not what the mirrored ones say. */
export function wrongDerived(db: Db): string[] {
  return compareDerived(db).flatMap(({ table, rows }) =>
    rows === 0 ? [] : [`${table}: ${rows} rows do not follow from the mirrored tables`],
  );
}

/** Rows that changed or went since the last look, and whose former version is not in the history. */
export function gapsInHistory(db: Db, former: Map<string, Map<string, string>>): string[] {
  return DATASETS.flatMap((dataset) => {
    const columns = heldNames(dataset);
    const rows = db
      .prepare<[], Record<string, string>>(
        `SELECT key, json_object(${columns.map((name) => `'${name}', "${name}"`).join(', ')}) AS version FROM "${dataset.table}"`,
      )
      .all();
    const present = new Map(rows.map(({ key = '', version = '' }) => [key, version]));
    const kept = db
      .prepare<[string, string], string>('SELECT record FROM _history WHERE table_name = ? AND key = ?')
      .pluck();
    const gaps = [...(former.get(dataset.table) ?? [])].filter(
      ([key, version]) =>
        present.get(key) !== version && !kept.all(dataset.table, key).some((record) => isVersion(record, version)),
    );
    former.set(dataset.table, present);
    return gaps.map(([key]) => `${dataset.name}: the former version of ${key} is not in the history`);
  });
}

function isVersion(record: string, version: string): boolean {
  const members = Object.entries(JSON.parse(record) as Record<string, Json>);
  const said = Object.fromEntries(
    members.filter(([name]) => !['first_seen_at', 'synced_at', 'synced_run'].includes(name)),
  );
  return canonicalJson(said) === canonicalJson(JSON.parse(version) as Json);
}

/** How many former versions are kept, by table. */
export function historySizes(db: Db): Map<string, number> {
  const rows = db
    .prepare<[], { name: string; n: number }>('SELECT table_name AS name, count(*) AS n FROM _history GROUP BY name')
    .all();
  return new Map(rows.map(({ name, n }) => [name, n]));
}

/** What grew in a sync before which nothing had changed. */
export function grownHistory(run: Run, db: Db, before: ReadonlyMap<string, number>): string[] {
  return COMPARED.filter((data) => !isDoubtful(run, data)).flatMap((data) => {
    const { table } = datasetNamed(data);
    const grown = (historySizes(db).get(table) ?? 0) - (before.get(table) ?? 0);
    return grown === 0 ? [] : [`${data}: ${grown} former versions more after a sync in which nothing had changed`];
  });
}
