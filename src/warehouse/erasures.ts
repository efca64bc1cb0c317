import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { withOrdinal, withoutOrdinal } from '../datasets/keys.ts';
import { DEEPEST, isDeeperThan, type BadRecord, type Row } from '../datasets/normalise.ts';
import { isObject, isRawNumber, JsonTooMuch, parseJson, textOfJson, type Json } from '../shared/json.ts';
import { command, queryRows } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import type { ErasedRecord } from './erased-records.ts';
import type { Db } from './open.ts';
import { placesOf, type Person } from './person.ts';
import { recall, remember } from './state.ts';

/*
 * People who were erased stay known by a keyed hash of their ids only. What the API still sends of them is counted and
 * not stored, so that no sync brings them back and every record is accounted for.
 */

/** What stands in the place of an erased person's id in what others sent. */
const ERASED = '[erased]';

/** Records as they may be stored. */
export interface Remaining {
  readonly rows: readonly Row[];
  readonly bad: readonly BadRecord[];
  readonly erased: readonly ErasedRecord[];
}

/** What the erased people mean for what comes. */
export interface Erasures {
  /**
   * Leaves out what erased people sent or did, and their ids in everything else.
   * @param namesOf names what is left out; the same one for all batches of a reading.
   */
  apply(
    dataset: Dataset,
    came: { readonly rows: readonly Row[]; readonly bad?: readonly BadRecord[] },
    namesOf?: Namer,
  ): Remaining;
  /** A JSON value without the ids of people who were erased in all rooms. */
  scrub(value: Json): Json;
  /** The same of a text, which may be JSON. */
  scrubText(text: string): string;
}

const Tombstone = z.object({ person: z.string(), room: z.string().nullable() });

/** The erasures of now; undefined where no one was erased, which costs one look into a table without rows. */
export function erasuresOf(db: Db): Erasures | undefined {
  const tombstones = queryRows(db, 'SELECT person, room FROM _erased_people', Tombstone).all();
  if (tombstones.length === 0) return undefined;
  const rooms = Map.groupBy(tombstones, ({ person }) => person);
  const mark = markerOf(db, 0);
  return erasuresBy(mark, (id, room) => {
    const known = rooms.get(mark(id));
    return known?.some((one) => one.room === null || (room !== undefined && one.room === mark(room))) ?? false;
  });
}

/** The erasure of one person who is about to be erased. */
export function erasureOf(db: Db, { participant, room }: Person, now: number): Erasures & { readonly mark: Marker } {
  const mark = markerOf(db, now);
  return {
    mark,
    ...erasuresBy(mark, (id, at) => id === participant && (room === undefined || at === room)),
  };
}

type Marker = (text: string) => string;
type IsErased = (id: string, room: string | undefined) => boolean;

function erasuresBy(mark: Marker, isErased: IsErased): Erasures {
  const anywhere = (id: string) => isErased(id, undefined);
  return {
    apply(dataset, { rows, bad = [] }, namesOf = createNamer()) {
      const placeOf = placesOf(dataset);
      const remaining: Row[] = [];
      const erased: ErasedRecord[] = [];
      const theirs: { readonly row: Row; readonly room: string | undefined }[] = [];
      for (const row of rows) {
        const { room, people } = placeOf(row);
        if (people.some((id) => isErased(id, room))) theirs.push({ row, room });
        else remaining.push(withoutIds(dataset, row, { mark, isErased: (id) => isErased(id, room) }));
      }
      const names = namesOf(theirs.map(({ row }) => row));
      theirs.forEach(({ row, room }, i) => erased.push({ mark: mark(names[i] ?? row.key), time: row.time, room }));
      // A malformed record does not show whose it is, only that it names the person.
      const isNamed = ({ text }: BadRecord) => scrubAny(text, anywhere) !== text;
      for (const record of bad.filter(isNamed))
        erased.push({ mark: mark(record.text), time: record.time, room: undefined });
      return { rows: remaining, bad: bad.filter((record) => !isNamed(record)), erased };
    },
    scrub: (value) => scrubJson(value, anywhere),
    scrubText: (text) => scrubAny(text, anywhere),
  };
}

/** Names the records of erased people that one reading meets. */
export type Namer = (batch: readonly Pick<Row, 'key' | 'time'>[]) => string[];

/**
 * Names them by their keys. Records that share one are numbered by their times in the order in which they come, as each
 * batch knows only its own ordinals; those of one time come together.
 */
export function createNamer(): Namer {
  const met = new Map<string, string[]>();
  return (batch) => {
    const ofTime = new Map<string, number>();
    return batch.map(({ key, time }) => {
      if (time === undefined) return key;
      const name = withoutOrdinal(key);
      const nth = (ofTime.get(`${name} ${time}`) ?? 0) + 1;
      ofTime.set(`${name} ${time}`, nth);
      const places = met.get(name) ?? [];
      const place = `${time} ${nth}`;
      if (!places.includes(place)) places.push(place);
      met.set(name, places);
      return withOrdinal(name, places.indexOf(place) + 1);
    });
  };
}

/** A row in which the ids of erased people are replaced, if any of them is there. */
function withoutIds(
  { columns }: Dataset,
  row: Row,
  { mark, isErased }: { readonly mark: Marker; readonly isErased: (id: string) => boolean },
): Row {
  const values = row.values.map((value, i) => {
    if (typeof value !== 'string') return value;
    const isJson = columns[i]?.spec.kind === 'json' || columns[i]?.part === 'json';
    return isJson ? scrubJsonText(value, isErased, true) : scrubWritten(value, isErased, false);
  });
  const extra = row.extra === null ? null : scrubJsonText(row.extra, isErased);
  const key = scrubKey(row.key, mark, isErased);
  const isSame = key === row.key && extra === row.extra && values.every((value, i) => value === row.values[i]);
  return isSame ? row : { ...row, key, values, extra };
}

/** A key of which no part names an erased person: such a part becomes a keyed hash, so that keys stay different. */
function scrubKey(key: string, mark: Marker, isErased: (id: string) => boolean): string {
  const parts = key.split('/').map((part) => {
    const [, name = '', ordinal = ''] = /^([^#]*)(#.*)?$/.exec(part) ?? [];
    // What is no text says so.
    if (name.includes(':')) return part;
    const text = decoded(name);
    return scrubText(text, isErased, false) === text ? part : `erased:${mark(text)}${ordinal}`;
  });
  return parts.join('/');
}

function scrubJsonText(text: string, isErased: (id: string) => boolean, isInside = false): string {
  const value = parseJson(text);
  const scrubbed = scrubJson(value, isErased, isInside);
  return scrubbed === value ? text : textOfJson(scrubbed);
}

/** A text that may be JSON, however deep, or begin like it. */
function scrubAny(text: string, isErased: (id: string) => boolean): string {
  if (/^[{["]/.test(text)) {
    try {
      return scrubJsonText(text, isErased);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof JsonTooMuch)) throw error;
    }
  }
  return scrubText(text, isErased, false);
}

/** A text that someone or a program wrote, which may be a JSON object or list with other escapes than ours. */
function scrubWritten(text: string, isErased: (id: string) => boolean, isWhole: boolean): string {
  if (/^\s*[{[]/.test(text)) {
    try {
      const value = parseJson(text);
      const scrubbed = scrubJson(value, isErased, true);
      if (scrubbed !== value) return typeof scrubbed === 'string' ? scrubbed : textOfJson(scrubbed);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof JsonTooMuch)) throw error;
    }
  }
  return scrubText(text, isErased, isWhole);
}

/** Members that say whom an object is about. Others, such as `partnerId`, only name someone. */
const ABOUT = ['id', 'participantId', 'userId', 'uid'];

/** The same value where nothing is replaced. One that is nested deeper than any row's is searched as a text. */
function scrubJson(value: Json, isErased: (id: string) => boolean, isInside = false): Json {
  if (!isDeeperThan(value, DEEPEST)) return scrubMembers(value, isErased, isInside);
  const text = textOfJson(value);
  const scrubbed = scrubText(text, isErased, false);
  return scrubbed === text ? value : scrubbed;
}

/** An object inside a record that is about an erased person goes as a whole. */
function scrubMembers(value: Json, isErased: (id: string) => boolean, isInside: boolean): Json {
  if (typeof value === 'string') return scrubWritten(value, isErased, true);
  if (typeof value === 'number' || isRawNumber(value)) return isLongId(textOfJson(value), isErased) ? ERASED : value;
  if (Array.isArray(value)) {
    const scrubbed = value.map((one) => scrubMembers(one, isErased, true));
    return scrubbed.every((one, i) => one === value[i]) ? value : scrubbed;
  }
  if (!isObject(value)) return value;
  const isId = (id: Json | undefined) => (typeof id === 'string' || typeof id === 'number') && isErased(String(id));
  if (isInside && ABOUT.some((name) => isId(value[name]))) return ERASED;
  const members = Object.entries(value);
  const scrubbed = members.map(([name, one]): [string, Json] =>
    isErased(name) ? [ERASED, ERASED] : [scrubText(name, isErased, true), scrubMembers(one, isErased, true)],
  );
  const isSame = scrubbed.every(([name, one], i) => name === members[i]?.[0] && one === members[i][1]);
  return isSame ? value : Object.fromEntries(scrubbed);
}

/** Shorter numbers are answers, counts and sizes far more often than ids. */
const isLongId = (number: string, isErased: (id: string) => boolean) => /^\d{8,}$/.test(number) && isErased(number);

/** What stands between spaces and marks. Without the upper bound a long text would overflow the pattern. */
const CHUNK = /[^\s"'<>()[\]{},;!|`]{8,512}/gu;
/** The parts of an address, and words of a text. */
const PART = /[^/?&=#]{8,512}/gu;
const PIECE = /[^:]{8,512}/gu;
const WORD = /[A-Za-z0-9_-]{8,128}/g;

/**
 * What is hardly a word of a language, a number or a time: it has letters, and a digit, a capital inside or an @; or more
 * digits than any of these.
 */
function isTelling(word: string): boolean {
  if (word.length < 8) return false;
  return /^\d{15,}$/.test(word) || (/\p{L}/u.test(word) && /\d|@|[a-z][A-Z]/.test(word));
}

/**
 * A text without the ids of erased people. Shorter words, ordinary ones and numbers may be anything.
 * @param isWhole a text that is any erased id as a whole counts as that id.
 */
function scrubText(text: string, isErased: (id: string) => boolean, isWhole: boolean): string {
  const isSeveral = text.length >= 8 && /\s/.test(text);
  if ((isWhole || isSeveral || isTelling(text)) && isErased(text)) return ERASED;
  const scrub = (word: string) => (isTelling(word) && isErased(word) ? ERASED : word);
  return text.replace(CHUNK, (chunk) => {
    const [, before = '', word = chunk, after = ''] = /^([.?:*_]*)(.*?)([.?:*_]*)$/u.exec(chunk) ?? [];
    if (scrub(chunk) === ERASED || scrub(word) === ERASED)
      return scrub(chunk) === ERASED ? ERASED : before + ERASED + after;
    return chunk.replace(PART, (part) => {
      if (scrub(decoded(part)) === ERASED) return ERASED;
      return part.replace(PIECE, (piece) => (scrub(piece) === ERASED ? ERASED : piece.replace(WORD, scrub)));
    });
  });
}

/** A part of an address as it was before it was encoded. */
function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const KEY = 'erasure key';

/** The keyed hash by which erased people and their records are known. Its key lies in the file, as the hashes do. */
function markerOf(db: Db, now: number): Marker {
  let stored = recall(db, KEY);
  if (stored === undefined) remember(db, KEY, (stored = JSON.stringify(randomBytes(32).toString('base64'))), now);
  // A prepared key makes each hash six times as fast, and every word of what comes is hashed.
  const key = createSecretKey(z.string().parse(JSON.parse(stored)), 'base64');
  return (text) => createHmac('sha256', key).update(text).digest('base64url');
}

/** Stores who was erased. */
export function markErased(db: Db, { participant, room }: Person, mark: Marker, now: number): void {
  const insert = command(db, 'INSERT OR IGNORE INTO _erased_people (person, room, erased_at) VALUES (?, ?, ?)');
  insert(mark(participant), room === undefined ? null : mark(room), formatTime(now));
}
