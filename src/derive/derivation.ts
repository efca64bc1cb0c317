import type { Database } from 'better-sqlite3';
import type { Dataset } from '../datasets/define.ts';
import type { Row } from '../datasets/normalise.ts';
import { DATASETS } from '../datasets/registry.ts';
import { addToCount, COUNTED } from './counts.ts';
import type { DerivedTable, Part } from './define.ts';
import { concerns, everyPart, partsAt, type SourcePlace } from './parts.ts';
import { joined, keyOf, postpone, takePostponed, type Places } from './pending.ts';
import { recompute, type Recomputed } from './recompute.ts';
import { derivedIn } from './registry.ts';
import { recomputeWideAt, WIDE_FROM } from './wide.ts';
import { roomWideOnly, whose, type Place } from './whose.ts';

/** Keeps the derived tables as the mirrored ones are, in the same transactions. */
export interface Derivation {
  /** The transaction that is under way has inserted a row. */
  inserted(dataset: Dataset, experiment: string, row: Row): void;
  /**
   * Computes again what the transaction has touched; to be called at its end. In a first read that is put off for some
   * transactions, as each page of it touches the same rooms again.
   */
  settle(isFirstRead: boolean): void;
  /** The transaction was rolled back. */
  forget(): void;
}

/** A place where rows were or are, and how many came there, less those that went. */
interface Touched extends Place {
  rows: number;
}

/**
 * How many transactions of first reads are put off before what they touched is computed: at first, and each time after
 * that, as they may touch the same rooms, which have grown meanwhile. It bounds how long that takes.
 */
const [PUT_OFF_FIRST, PUT_OFF_LATER] = [40, 80];

/**
 * Watches what the connection writes. The only code that inserts says so; where rows change or go, triggers of the
 * connection say whose they were and are, so that no code that writes can forget it. There is none for inserts, as it
 * would cost a part of the time of a first read.
 */
export function openDerivation(db: Database, tables: readonly DerivedTable[] = derivedIn(db)): Derivation {
  const watched = DATASETS.filter((dataset) => tables.some((table) => concerns(table, dataset) !== undefined));
  const readers = new Map(watched.map((dataset) => [dataset.name, placeReader(dataset)]));
  let touched = new Map<string, Map<string, Touched>>();
  let putOff = 0;
  let mostPutOff = PUT_OFF_FIRST;

  const touch = (data: string, rows: number, { experiment, room, participant }: Place) => {
    const key = keyOf(experiment, room, participant);
    let places = touched.get(data);
    if (places === undefined) touched.set(data, (places = new Map<string, Touched>()));
    const place = places.get(key);
    if (place === undefined) places.set(key, { experiment, room, participant, rows });
    else place.rows += rows;
  };
  db.function('touched_row', (data, rows, experiment, room, participant) => {
    const place = { experiment: String(experiment), room: textOf(room), participant: textOf(participant) };
    touch(String(data), Number(rows), place);
    return null;
  });
  for (const dataset of watched) db.exec(triggersOf(dataset));

  return {
    inserted(dataset, experiment, row) {
      const place = readers.get(dataset.name)?.(experiment, row);
      if (place !== undefined) touch(dataset.name, 1, place);
    },
    settle(isFirstRead) {
      const came = touched;
      touched = new Map();
      for (const { name } of COUNTED)
        for (const place of came.get(name)?.values() ?? []) addToCount(db, name, place, place.rows);
      const left = tables.map((table) => ({ table, places: leftOf(db, table, came) }));
      if (isFirstRead && ++putOff < mostPutOff) {
        for (const { table, places } of left) postpone(db, concerning(table, places));
        return;
      }
      putOff = 0;
      mostPutOff = isFirstRead ? PUT_OFF_LATER : PUT_OFF_FIRST;
      const postponed = takePostponed(db);
      settlePlaces(
        db,
        left.map(({ table, places }) => ({ table, places: joined(places, postponed) })),
      );
    },
    forget() {
      touched = new Map();
    },
  };
}

/** The places of which a table has to compute something; at the others it has counted the rows, and that was all. */
function leftOf(
  db: Database,
  { add }: DerivedTable,
  touched: ReadonlyMap<string, ReadonlyMap<string, Touched>>,
): Places {
  if (add === undefined) return touched;
  const left = [...touched].map(
    ([data, at]) => [data, new Map([...at].filter(([, place]) => !add(db, data, place, place.rows)))] as const,
  );
  return new Map(left);
}

/** The places whose data type a table is computed from. */
function concerning(table: DerivedTable, places: Places): Places {
  return new Map([...places].filter(([name]) => concerns(table, { name }) !== undefined));
}

/** Computes what is put off, in a transaction of the caller's. */
export function settlePostponed(db: Database, tables: readonly DerivedTable[] = derivedIn(db)): void {
  const places = takePostponed(db);
  if (places.size > 0)
    settlePlaces(
      db,
      tables.map((table) => ({ table, places })),
    );
}

function settlePlaces(db: Database, left: readonly { table: DerivedTable; places: Places }[]): void {
  const work = left.map(({ table, places }) => ({ table, parts: touchedParts(db, table, places) }));
  const written = recompute(db, work);
  const ofTable = Map.groupBy(written, ({ table }) => table);
  const [changed, moved]: [Part[], Part[]] = [[], []];
  for (const { table, places } of left) {
    const parts = ofTable.get(table) ?? [];
    const cameOrWent = partsOf(parts.filter(({ added, removed }) => added + removed > 0));
    number(db, table, places, cameOrWent);
    if (!WIDE_FROM.includes(table.name)) continue;
    if (table.of === 'person') moved.push(...cameOrWent);
    else changed.push(...partsOf(parts.filter(({ added, changed: other, removed }) => added + other + removed > 0)));
  }
  recomputeWideAt(db, changed, moved);
}

function partsOf(written: readonly Recomputed[]): Part[] {
  return written.map(({ part }) => part);
}

function sourcePlaces(places: Places): SourcePlace[] {
  return [...places].flatMap(([data, at]) => [...at.values()].map((place) => ({ ...place, data })));
}

/** Whose a row of a data type is. */
function placeReader(dataset: Dataset): (experiment: string, row: Row) => Place {
  const { room, participant, roomWide } = whose(dataset);
  const at = (name: string | undefined) => dataset.columns.findIndex((column) => column.name === name);
  const [roomAt, participantAt, wideAt] = [at(room), at(participant), at(roomWide?.column)];
  const concernsNobody = (value: unknown) =>
    roomWide !== undefined && textOf(value)?.startsWith(roomWide.start) !== true;
  return (experiment, { values }) => {
    const person = textOf(values[participantAt]);
    const isNobodys = person === null && concernsNobody(values[wideAt]);
    return { experiment, room: isNobodys ? null : textOf(values[roomAt]), participant: person };
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function triggersOf(dataset: Dataset): string {
  const place = whose(dataset);
  const touch = (rows: number, when: 'OLD' | 'NEW') => {
    const [named, ofParticipant] = [place.room, place.participant].map((name) =>
      name === undefined ? 'NULL' : `${when}.${name}`,
    );
    const concerns = `${ofParticipant ?? 'NULL'} IS NOT NULL ${roomWideOnly(place, 'OR', `${when}.`)}`;
    const ofRoom = place.roomWide === undefined ? named : `CASE WHEN ${concerns} THEN ${named ?? 'NULL'} END`;
    return `SELECT touched_row('${dataset.name}', ${rows}, ${when}.experiment_id, ${ofRoom}, ${ofParticipant});`;
  };
  return `
    CREATE TEMP TRIGGER touch_changed_${dataset.table} AFTER UPDATE ON main.${dataset.table}
    BEGIN ${touch(-1, 'OLD')} ${touch(1, 'NEW')} END;
    CREATE TEMP TRIGGER touch_deleted_${dataset.table} AFTER DELETE ON main.${dataset.table}
    BEGIN ${touch(-1, 'OLD')} END;`;
}

/** The parts of a table that rows at these places concern. */
function touchedParts(db: Database, table: DerivedTable, touched: Places): Part[] {
  const places = sourcePlaces(touched);
  const common = places.filter(({ data }) => concerns(table, { name: data }) === 'all');
  const whole = new Set(common.map(({ experiment }) => experiment));
  const own = places.filter(
    ({ data, experiment }) => concerns(table, { name: data }) === 'part' && !whole.has(experiment),
  );
  return [...[...whole].flatMap((experiment) => everyPart(db, table, experiment)), ...partsAt(db, table, own)];
}

/** Fills in the columns that depend on all rows of an experiment, where rows came or went or their order was touched. */
function number(db: Database, { numbered }: DerivedTable, touched: Places, moved: readonly Part[]): void {
  if (numbered === undefined) return;
  const ordered = sourcePlaces(touched).filter(({ data }) => numbered.by.includes(data));
  const experiments = [...moved, ...ordered].map(({ experiment }) => experiment);
  for (const experiment of new Set(experiments)) numbered.number(db, experiment);
}
