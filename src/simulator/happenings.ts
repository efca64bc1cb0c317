import { isAmong, type Which } from './faults.ts';
import { iso, type SimRecord } from './life.ts';
import { roomOf, type Entry } from './catalogue/entry.ts';
import type { World } from './world.ts';

/** Values in place of a time that some stores hold, which a filter cannot compare. */
export const ODD_TIMES = [null, '', '2016-12-31T23:59:60Z', 'yesterday, about noon', undefined] as const;

/** A change to the records of a data type at a time of the server's clock (ms since 1970 UTC). */
interface Of {
  readonly dataType: string;
  readonly at: number;
}

/** Changes to the store, from the API's release notes. */
export type Happening =
  /** New records dated this many ms ahead of the server's clock. */
  | (Of & { readonly kind: 'datedAhead'; readonly byMs: number; readonly count?: number })
  /** A new record with each of these invalid times; undefined: without the field. */
  | (Of & { readonly kind: 'oddTimes'; readonly times?: readonly (string | null | undefined)[] })
  /** Events from before the matching, of a lobby session that is not a room or, without one, of no room at all. */
  | { readonly kind: 'lobby'; readonly at: number; readonly count: number; readonly session?: string }
  /** A field that is a number or a time moves by this many ms in every record, or in the selected ones. */
  | (Of & { readonly kind: 'derivedAgain'; readonly field: string; readonly byMs: number; readonly of?: Which })
  /** The selected records exchange what they say in a field: each gets the next one's. */
  | (Of & { readonly kind: 'pairedAnew'; readonly field: string; readonly of: Which })
  /** A new field in every record, or in the selected ones. */
  | (Of & { readonly kind: 'enriched'; readonly field: string; readonly of?: Which })
  /** Copies of the selected records with new ids. */
  | (Of & { readonly kind: 'duplicated'; readonly of: Which })
  /** Of records that differ only in their ids, all but the first are removed. */
  | (Of & { readonly kind: 'deduplicated' })
  /** The selected records appear once more, with the same id and other content, and this many ms later. */
  | (Of & { readonly kind: 'listedTwice'; readonly of: Which; readonly byMs?: number })
  /** New records whose ids a careless key would confuse: "1" and 1, or "{room}/a" and "a" in that room. */
  | (Of & { readonly kind: 'twins' })
  /** `sessionId` is called `roomId` from now on. */
  | (Of & { readonly kind: 'roomRenamed' })
  /** The selected records move to another room of the experiment. */
  | (Of & { readonly kind: 'movedToRoom'; readonly of: Which })
  /** Records from this long ago arrive now, for example recordings of a room that ended long ago. */
  | (Of & { readonly kind: 'late'; readonly byMs: number; readonly count?: number });

/** Applies a change to an experiment; returns how many records it made, changed or removed. */
export function happen(world: World, experimentId: string, happening: Happening): number {
  const { at } = happening;
  const insert = (dataType: string, records: readonly SimRecord[]) => {
    for (const record of records) world.insert(dataType, experimentId, record, at);
    return records.length;
  };
  if (happening.kind === 'lobby') return insert('events', lobbyEvents(world, experimentId, happening));
  const { dataType } = happening;
  const entry = world.catalogue.get(dataType);
  const change = (of: Which, how: (record: SimRecord) => SimRecord) =>
    world.edit(dataType, experimentId, (record) => isAmong(of, record), how, at);
  const present = world.records(dataType, experimentId, at);
  switch (happening.kind) {
    case 'datedAhead':
      return insert(dataType, copiesAt(entry, present, at, at + happening.byMs, happening.count));
    case 'late':
      return insert(dataType, copiesAt(entry, present, at, at - happening.byMs, happening.count));
    case 'oddTimes':
      return insert(dataType, oddlyTimed(entry, happening, present));
    case 'derivedAgain':
      return change(happening.of ?? 1, (record) => moved(record, happening.field, happening.byMs));
    case 'pairedAnew':
      return change(happening.of, nextOnes(present, happening));
    case 'enriched':
      return change(happening.of ?? 1, (record) => ({ ...record, [happening.field]: `enriched ${iso(at)}` }));
    case 'duplicated':
      return insert(dataType, duplicates(entry, present, happening.of, at));
    case 'deduplicated':
      return deduplicate(world, experimentId, dataType, at);
    case 'listedTwice':
      return insert(dataType, secondListings(entry, present, happening));
    case 'twins':
      return insert(dataType, twins(entry, present));
    case 'roomRenamed':
      return change(({ sessionId }) => sessionId !== undefined, renamed);
    case 'movedToRoom':
      return change(happening.of, toAnotherRoom(world, experimentId, dataType, at));
  }
}

/** A record with another id; one without an id gets a note, so that it differs from the original. */
function copy(entry: Entry | undefined, record: SimRecord, id: unknown): SimRecord {
  const field = entry?.id;
  if (field === undefined) return { ...record, note: id };
  return { ...record, [field]: id, ...(field === 'recordingId' ? { egressId: id } : {}) };
}

function copiesAt(
  entry: Entry | undefined,
  present: readonly SimRecord[],
  at: number,
  time: number,
  count = 1,
): SimRecord[] {
  const [sample] = present;
  const field = entry?.time;
  if (sample === undefined || field === undefined) return [];
  return Array.from({ length: count }, (_, i) => ({
    ...copy(entry, sample, `copy_${at}_${time}_${i}`),
    [field]: iso(time + i),
  }));
}

function oddlyTimed(
  entry: Entry | undefined,
  { at, times = ODD_TIMES }: Extract<Happening, { kind: 'oddTimes' }>,
  [sample]: readonly SimRecord[],
): SimRecord[] {
  const field = entry?.time;
  if (sample === undefined || field === undefined) return [];
  return times.map((time, i) => {
    const record = copy(entry, sample, `odd_${at}_${i}`);
    if (time !== undefined) return { ...record, [field]: time };
    return Object.fromEntries(Object.entries(record).filter(([name]) => name !== field));
  });
}

function lobbyEvents(
  world: World,
  experimentId: string,
  { at, count, session }: Extract<Happening, { kind: 'lobby' }>,
): SimRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `lobby_${at}_${i}`,
    experimentId,
    ...(session === undefined ? {} : { sessionId: session }),
    participantId: world.records('participants', experimentId, at)[i]?.['id'] ?? null,
    timestamp: iso(at - 1000 * (count - i)),
    onset: null,
    eventType: i % 2 === 0 ? 'consent.given' : 'instructions.completed',
    category: 'pre_experiment',
  }));
}

function moved(record: SimRecord, field: string, byMs: number): SimRecord {
  const value = record[field];
  if (typeof value === 'number') return { ...record, [field]: value + byMs };
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? record : { ...record, [field]: iso(time + byMs) };
}

function nextOnes(present: readonly SimRecord[], { field, of }: Extract<Happening, { kind: 'pairedAnew' }>) {
  const chosen = present.filter((record) => isAmong(of, record));
  return (record: SimRecord): SimRecord => ({
    ...record,
    [field]: chosen[(chosen.indexOf(record) + 1) % chosen.length]?.[field],
  });
}

function duplicates(entry: Entry | undefined, present: readonly SimRecord[], of: Which, at: number): SimRecord[] {
  if (entry?.id === undefined) return present.filter((record) => isAmong(of, record));
  return present
    .filter((record) => isAmong(of, record))
    .map((record, i) => copy(entry, record, `duplicate_${at}_${i}`));
}

function deduplicate(world: World, experimentId: string, dataType: string, at: number): number {
  const met = new Set<string>();
  return world.remove(
    dataType,
    experimentId,
    (record) => {
      const content = JSON.stringify(copy(world.catalogue.get(dataType), record, null));
      const isMet = met.has(content);
      met.add(content);
      return isMet;
    },
    at,
  );
}

function secondListings(
  entry: Entry | undefined,
  present: readonly SimRecord[],
  { of, byMs = 0 }: Extract<Happening, { kind: 'listedTwice' }>,
): SimRecord[] {
  return present
    .filter((record) => isAmong(of, record))
    .map((record) => moved(record, entry?.time ?? 'timestamp', byMs))
    .map((record) => ({ ...record, listed: 'again', onset: Number(record['onset'] ?? 0) + 1 }));
}

function twins(entry: Entry | undefined, present: readonly SimRecord[]): SimRecord[] {
  const sample = present.find((record) => roomOf(entry, record) !== undefined) ?? present[0];
  if (sample === undefined) return [];
  const room = roomOf(entry, sample) ?? '';
  return ['1', 1, 'a', `${room}/a`].map((id) => copy(entry, sample, id));
}

function renamed({ sessionId, ...rest }: SimRecord): SimRecord {
  return { roomId: sessionId, ...rest };
}

function toAnotherRoom(world: World, experimentId: string, dataType: string, at: number) {
  const rooms = world.records('rooms', experimentId, at).map(({ id }) => id);
  return (record: SimRecord): SimRecord => {
    const place = rooms.indexOf(roomOf(world.catalogue.get(dataType), record));
    const next = place === -1 ? undefined : rooms[(place + 1) % rooms.length];
    if (next === undefined) return record;
    return { ...record, ['roomId' in record ? 'roomId' : 'sessionId']: next };
  };
}
