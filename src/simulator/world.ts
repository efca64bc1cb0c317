import { catalogueWith } from './catalogue/catalogue.ts';
import type { Declaration } from './catalogue/declared.ts';
import { roomOf, type Catalogue } from './catalogue/entry.ts';
import { generateExperiments } from './experiment.ts';
import type { Add, Life, SimRecord, WorldOptions } from './life.ts';

/** Everything that happens in a simulated HyperStudy, past and future; what is visible depends on the time. */
export interface World {
  /** The names of all data types. */
  readonly catalogue: Catalogue;
  readonly experimentIds: readonly string[];
  /** The lives of a data type's records in an experiment, in no particular order. */
  lives(dataType: string, experimentId: string): readonly Life[];
  /** The records that the API has at a time: the truth that a mirror must equal. */
  records(dataType: string, experimentId: string, now: number): SimRecord[];
  /** The experiment that a room belongs to. */
  experimentOf(roomId: string): string | undefined;
  /** Adds a record that reaches the server. */
  insert(dataType: string, experimentId: string, record: SimRecord, at: number): void;
  /** Changes the records that match; returns how many. */
  edit(
    dataType: string,
    experimentId: string,
    matches: (record: SimRecord) => boolean,
    change: (record: SimRecord) => SimRecord,
    at: number,
  ): number;
  remove(dataType: string, experimentId: string, matches: (record: SimRecord) => boolean, at: number): number;
}

export function visible(life: Life, now: number): SimRecord | undefined {
  if (now >= life.removedAt) return undefined;
  return life.versions.findLast(({ from }) => from <= now)?.record;
}

/** @param declared data types with made-up records, for those that the simulator does not know. */
export function createWorld(options: WorldOptions, declared: readonly Declaration[] = []): World {
  const catalogue = catalogueWith(declared);
  const store = new Map<string, Life[]>();
  const rooms = new Map<string, string>();
  const bucket = (dataType: string, experimentId: string): Life[] => {
    const name = `${dataType} ${experimentId}`;
    let lives = store.get(name);
    if (lives === undefined) store.set(name, (lives = []));
    return lives;
  };
  const add: Add = (dataType, experimentId, ...versions) => {
    const record = versions[0]?.record ?? {};
    const room = roomOf(catalogue.get(dataType), record);
    const participant =
      dataType === 'participants' ? text(record['id']) : (text(record['participantId']) ?? text(record['senderId']));
    if (dataType === 'rooms' && room !== undefined) rooms.set(room, experimentId);
    bucket(dataType, experimentId).push({ participant, versions, removedAt: Infinity });
  };
  const generated = options.ids === 'room' ? numberedByRoom(catalogue, add) : add;
  const experimentIds = generateExperiments(options, catalogue, generated);
  return {
    catalogue,
    experimentIds,
    lives: bucket,
    records: (dataType, experimentId, now) =>
      bucket(dataType, experimentId)
        .map((life) => visible(life, now))
        .filter((record) => record !== undefined),
    experimentOf: (roomId) => rooms.get(roomId),
    insert: (dataType, experimentId, record, at) => add(dataType, experimentId, { from: at, record }),
    edit(dataType, experimentId, matches, change, at) {
      const found = bucket(dataType, experimentId).filter((life) => matchesNow(life, matches, at));
      for (const life of found) life.versions = edited(life, change, at);
      return found.length;
    },
    remove(dataType, experimentId, matches, at) {
      const found = bucket(dataType, experimentId).filter((life) => matchesNow(life, matches, at));
      for (const life of found) life.removedAt = at;
      return found.length;
    },
  };
}

/** The versions of a record after a change at a time; its later versions are changed too. */
function edited(life: Life, change: (record: SimRecord) => SimRecord, at: number): Life['versions'] {
  const later = life.versions.filter(({ from }) => from > at);
  return [
    ...life.versions.filter(({ from }) => from <= at),
    { from: at, record: change(visible(life, at) ?? {}) },
    ...later.map(({ from, record }) => ({ from, record: change(record) })),
  ];
}

/** The world without some of its experiments. */
export function withoutExperiments(world: World, isGone: (experimentId: string) => boolean): World {
  return {
    ...world,
    experimentIds: world.experimentIds.filter((id) => !isGone(id)),
    lives: (dataType, experimentId) => (isGone(experimentId) ? [] : world.lives(dataType, experimentId)),
    records: (dataType, experimentId, now) => (isGone(experimentId) ? [] : world.records(dataType, experimentId, now)),
    experimentOf: (roomId) => {
      const id = world.experimentOf(roomId);
      return id === undefined || isGone(id) ? undefined : id;
    },
  };
}

function matchesNow(life: Life, matches: (record: SimRecord) => boolean, at: number): boolean {
  const record = visible(life, at);
  return record !== undefined && matches(record);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberedByRoom(catalogue: Catalogue, add: Add): Add {
  const last = new Map<string, number>();
  return (dataType, experimentId, ...versions) => {
    const entry = catalogue.get(dataType);
    const field = entry?.isNumbered === true ? entry.id : undefined;
    const place = `${dataType} ${roomOf(entry, versions[0]?.record ?? {}) ?? ''}`;
    const number = (last.get(place) ?? 0) + 1;
    last.set(place, number);
    const named = (record: SimRecord) => (field === undefined ? record : { ...record, [field]: String(number) });
    add(dataType, experimentId, ...versions.map(({ from, record }) => ({ from, record: named(record) })));
  };
}
