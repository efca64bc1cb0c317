import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { queryRows, queryValues } from '../shared/sqlite.ts';
import type { DerivedTable, Part } from './define.ts';
import { whose, type Place } from './whose.ts';

/** A place, and the data type of the rows that are there. */
export interface SourcePlace extends Place {
  readonly data: string;
}

/** How many people are computed together at most. */
const MOST_PEOPLE = 500;

/** The parts of a table that rows at these places concern. */
export function partsAt(
  db: Database,
  { of, roomWide = [] }: Pick<DerivedTable, 'of' | 'roomWide'>,
  places: readonly SourcePlace[],
): Part[] {
  const concerned = places.filter(({ data, participant }) => participant !== null || roomWide.includes(data));
  const groups = Map.groupBy(of === 'experiment' ? places : concerned, ({ experiment, room }) =>
    JSON.stringify(of === 'room' ? [experiment, room] : [experiment]),
  );
  return [...groups.values()].flatMap((group): Part[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { experiment } = first;
    if (of === 'experiment') return [{ experiment, room: null, people: null }];
    const room = of === 'room' ? first.room : null;
    const named = group.flatMap(({ participant }) => participant ?? []);
    const unnamed = group.filter((place) => place.participant === null && place.room !== null);
    if (of === 'room' && unnamed.length > 0) return [{ experiment, room, people: null }];
    const people = new Set([...named, ...unnamed.flatMap((place) => peopleIn(db, experiment, place.room))]);
    return chunks([...people]).map((some) => ({ experiment, room, people: some }));
  });
}

function chunks(people: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(people.length / MOST_PEOPLE) }, (_, i) =>
    people.slice(i * MOST_PEOPLE, (i + 1) * MOST_PEOPLE),
  );
}

function peopleIn(db: Database, experiment: string, room: string | null): string[] {
  const sql = `SELECT DISTINCT id FROM participants WHERE room_id = @room AND +experiment_id = @experiment AND id IS NOT NULL
    UNION SELECT participant_id FROM people WHERE room_id = @room AND +experiment_id = @experiment`;
  return queryValues(db, sql, z.string()).all({ room, experiment });
}

const Found = z.object({
  data: z.string(),
  experiment: z.string(),
  room: z.string().nullable(),
  participant: z.string().nullable(),
});

/** Every part of a table, of one experiment or of all: those that its sources have, and those that it holds. */
export function everyPart(db: Database, table: DerivedTable, experiment?: string): Part[] {
  // What everyone has is counted, so that no large table has to be read for it.
  const counted = { table: '_people_counts', room: undefined, participant: 'participant_id' };
  const sources = DATASETS.filter(({ name }) => table.sources.includes(name)).map((dataset) => ({
    table: dataset.table,
    ...whose(dataset),
  }));
  const read =
    table.of === 'person' ? [...sources.filter(({ table: name }) => name === 'participants'), counted] : sources;
  const held = { table: table.name, room: columnIn(table, 'room_id'), participant: columnIn(table, 'participant_id') };
  const queries = [...read, held].map(({ table: from, room = 'NULL', participant = 'NULL' }) => {
    // Of a room, everyone is computed together.
    const person = table.of === 'room' ? `CASE WHEN ${room} IS NULL THEN ${participant} END` : participant;
    return `SELECT DISTINCT '' AS data, experiment_id AS experiment, ${room} AS room, ${person} AS participant FROM ${from}
       WHERE experiment_id IS NOT NULL AND (@experiment IS NULL OR experiment_id = @experiment)`;
  });
  const places = queryRows(db, queries.join(' UNION '), Found).all({ experiment: experiment ?? null });
  return partsAt(db, { of: table.of, roomWide: table.of === 'room' ? [''] : [] }, places);
}

function columnIn({ columns }: DerivedTable, name: string): string | undefined {
  return name in columns ? name : undefined;
}

/** The data type of that name is among those that concern a table, or every part of it. */
export function concerns(table: DerivedTable, { name }: Pick<Dataset, 'name'>): 'part' | 'all' | undefined {
  if (table.sources.includes(name)) return 'part';
  return table.commonSources?.includes(name) === true ? 'all' : undefined;
}
