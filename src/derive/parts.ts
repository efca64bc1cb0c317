import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { queryRows, queryValues } from '../shared/sqlite.ts';
import type { DerivedTable, Part } from './define.ts';
import { whose, type Place } from './whose.ts';

/** The parts that rows at these places concern. */
export function partsAt(db: Database, of: DerivedTable['of'], places: Iterable<Place>): Part[] {
  const parts = [...places].flatMap((place) => partsOf(db, of, place));
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
}

function partsOf(db: Database, of: DerivedTable['of'], { experiment, room, participant }: Place): Part[] {
  switch (of) {
    case 'experiment':
      return [{ experiment, room: null, participant: null }];
    case 'person': {
      const people = participant === null ? peopleIn(db, experiment, room) : [participant];
      return people.map((person) => ({ experiment, room: null, participant: person }));
    }
    case 'room':
      if (room !== null) return [{ experiment, room, participant: null }];
      return participant === null ? [] : [{ experiment, room: null, participant }];
  }
}

function peopleIn(db: Database, experiment: string, room: string | null): string[] {
  const sql = `SELECT DISTINCT id FROM participants WHERE room_id = @room AND +experiment_id = @experiment AND id IS NOT NULL
    UNION SELECT participant_id FROM people WHERE room_id = @room AND +experiment_id = @experiment`;
  return room === null ? [] : queryValues(db, sql, z.string()).all({ room, experiment });
}

const Found = z.object({ experiment: z.string(), room: z.string().nullable(), participant: z.string().nullable() });

/** Every part of a table, of one experiment or of all: those that its sources have, and those that it holds. */
export function everyPart(db: Database, table: DerivedTable, experiment?: string): Part[] {
  // What everybody has is counted, so that no large table has to be read for it.
  const counted = { table: '_people_counts', room: undefined, participant: 'participant_id' };
  const sources = DATASETS.filter(({ name }) => table.sources.includes(name)).map((dataset) => ({
    table: dataset.table,
    ...whose(dataset),
  }));
  const read =
    table.of === 'person' ? [...sources.filter(({ table: name }) => name === 'participants'), counted] : sources;
  const held = { table: table.name, room: columnIn(table, 'room_id'), participant: columnIn(table, 'participant_id') };
  const queries = [...read, held].map(
    ({ table: from, room = 'NULL', participant = 'NULL' }) =>
      `SELECT DISTINCT experiment_id AS experiment, ${room} AS room, ${participant} AS participant FROM ${from}
       WHERE experiment_id IS NOT NULL AND (@experiment IS NULL OR experiment_id = @experiment)`,
  );
  return partsAt(db, table.of, queryRows(db, queries.join(' UNION '), Found).all({ experiment: experiment ?? null }));
}

function columnIn({ columns }: DerivedTable, name: string): string | undefined {
  return name in columns ? name : undefined;
}

/** The data type of that name is among those that concern a table, or every part of it. */
export function concerns(table: DerivedTable, { name }: Pick<Dataset, 'name'>): 'part' | 'all' | undefined {
  if (table.sources.includes(name)) return 'part';
  return table.commonSources?.includes(name) === true ? 'all' : undefined;
}
