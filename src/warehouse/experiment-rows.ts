import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { isOver } from '../datasets/room-status.ts';
import { whose } from '../derive/whose.ts';
import { queryRows, queryValues, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';

/** What the tables hold of an experiment, in numbers only. Times are milliseconds since 1970 UTC. */
export interface ExperimentRows {
  readonly rooms: readonly RoomRows[];
  /** How many rooms there are beside these. */
  readonly moreRooms: number;
  /** The data types whose rows name a room, in the order in which they are read. */
  readonly data: readonly string[];
  /** Those of which only rows that name a participant are counted by room: counting all would take too long. */
  readonly byParticipant: readonly string[];
  /** Rows by data type, of all rooms and of none. */
  readonly totals: ReadonlyMap<string, number>;
  readonly people: People;
  readonly changes: readonly Changes[];
}

export interface RoomRows {
  readonly id: string;
  readonly isOpen: boolean;
  readonly status: string | undefined;
  /** Rows by data type; none where it has none. */
  readonly rows: ReadonlyMap<string, number>;
}

/** Participations of people; those of AI agents only as their number. */
export interface People {
  readonly joined: number;
  /** By completion code; those without one under the empty text. */
  readonly codes: ReadonlyMap<string, number>;
  readonly complete: number;
  readonly agents: number;
}

/** Earlier versions of rows that are kept, of one data type. */
export interface Changes {
  readonly data: string;
  readonly changed: number;
  readonly deleted: number;
  readonly lastAt: number;
  /** Whether there are more than were counted. */
  readonly isMore: boolean;
}

/** The most rooms that are told apart, the open ones and then the latest first. */
const MOST_ROOMS = 40;
/** The most rows of a data type that are counted one by one; larger ones are counted as the derived tables hold them. */
const MOST_COUNTED = 5000;
const MOST_CHANGES = 2000;

/** Without those whose rows are the rooms themselves. */
const ROOMED = DATASETS.filter((dataset) => ![undefined, 'id'].includes(whose(dataset).room));

/** Reads it at one moment, with queries whose cost is bounded. */
export function experimentRows(db: Db, experiment: string): ExperimentRows {
  return db.transaction(() => {
    const totals = totalsOf(db, experiment);
    const roomed = ROOMED.filter(({ name }) => totals.has(name));
    const [small, large] = [roomed.filter(isSmall(totals)), roomed.filter((each) => !isSmall(totals)(each))];
    const counts: Count[] = [
      ...small.flatMap((dataset) => countedByRoom(db, dataset, experiment)),
      ...countedByParticipant(db, large, experiment),
    ];
    const rooms = roomsOf(db, experiment, counts);
    return {
      rooms: rooms.slice(0, MOST_ROOMS),
      moreRooms: Math.max(0, rooms.length - MOST_ROOMS),
      data: roomed.map(({ name }) => name),
      byParticipant: large.map(({ name }) => name),
      totals,
      people: peopleOf(db, experiment),
      changes: DATASETS.flatMap((dataset) => changesOf(db, dataset, experiment)),
    };
  })();
}

const Total = z.object({ data: z.string(), rows: z.number() });

function totalsOf(db: Db, experiment: string): Map<string, number> {
  const sql = 'SELECT data, sum(rows) AS rows FROM _streams WHERE experiment_id = ? GROUP BY data';
  return new Map(
    queryRows(db, sql, Total)
      .all(experiment)
      .map(({ data, rows }) => [data, rows]),
  );
}

const isSmall =
  (totals: ReadonlyMap<string, number>) =>
  ({ name }: Dataset) =>
    (totals.get(name) ?? 0) <= MOST_COUNTED;

const Count = z.object({ room: z.string(), data: z.string(), rows: z.number() });
type Count = z.infer<typeof Count>;

function countedByRoom(db: Db, dataset: Dataset, experiment: string): Count[] {
  const room = quote(whose(dataset).room ?? 'room_id');
  const sql = `SELECT ${room} AS room, ? AS data, count(*) AS rows FROM ${quote(dataset.table)}
    WHERE experiment_id = ? AND ${room} IS NOT NULL GROUP BY 1`;
  return queryRows(db, sql, Count).all(dataset.name, experiment);
}

function countedByParticipant(db: Db, large: readonly Dataset[], experiment: string): Count[] {
  if (large.length === 0) return [];
  const names = new Set(large.map(({ name }) => name));
  const sql = `SELECT room_id AS room, data, sum(rows) AS rows FROM _people_counts
    WHERE experiment_id = ? AND room_id <> '' GROUP BY 1, 2`;
  return queryRows(db, sql, Count)
    .all(experiment)
    .filter(({ data }) => names.has(data));
}

const Room = z.object({ id: z.string(), status: z.string().nullable(), ended_at: z.string().nullable() });

/** All rooms, listed or only named by rows. */
function roomsOf(db: Db, experiment: string, counts: readonly Count[]): RoomRows[] {
  const sql = `SELECT id, status, ended_at FROM rooms WHERE experiment_id = ? AND id IS NOT NULL
    ORDER BY created_at DESC, id`;
  const listed = queryRows(db, sql, Room).all(experiment);
  const of = Map.groupBy(counts, ({ room }) => room);
  const known = new Set(listed.map(({ id }) => id));
  const rowsIn = (id: string) => new Map((of.get(id) ?? []).map(({ data, rows }) => [data, rows]));
  const rooms = listed.map(({ id, status, ended_at }) => ({
    id,
    status: status ?? undefined,
    isOpen: ended_at === null && status !== null && !isOver(status),
    rows: rowsIn(id),
  }));
  const others = [...of.keys()].filter((id) => !known.has(id));
  return [
    ...rooms.filter(({ isOpen }) => isOpen),
    ...rooms.filter(({ isOpen }) => !isOpen),
    ...others.map((id) => ({ id, status: undefined, isOpen: false, rows: rowsIn(id) })),
  ];
}

const Code = z.object({ code: z.string(), people: z.number(), complete: z.number() });

function peopleOf(db: Db, experiment: string): People {
  const sql = `SELECT coalesce(completion_code, '') AS code, count(*) AS people, coalesce(sum(is_complete), 0) AS complete
    FROM people WHERE experiment_id = ? AND is_agent IS NOT 1 GROUP BY 1 ORDER BY 2 DESC, 1`;
  const codes = queryRows(db, sql, Code).all(experiment);
  const agents = 'SELECT count(*) FROM people WHERE experiment_id = ? AND is_agent = 1';
  return {
    joined: codes.reduce((sum, { people }) => sum + people, 0),
    codes: new Map(codes.map(({ code, people }) => [code, people])),
    complete: codes.reduce((sum, { complete }) => sum + complete, 0),
    agents: queryValues(db, agents, z.number()).get(experiment) ?? 0,
  };
}

const Changed = z.object({ all: z.number(), deleted: z.number(), last: z.string().nullable() });

function changesOf(db: Db, { name, table }: Dataset, experiment: string): Changes[] {
  const sql = `SELECT count(*) AS "all", coalesce(sum(what = 'deleted'), 0) AS deleted, max(at) AS last FROM
    (SELECT what, at FROM _history WHERE table_name = ? AND experiment_id = ? LIMIT ${MOST_CHANGES + 1})`;
  const found = queryRows(db, sql, Changed).get(table, experiment);
  if (found === undefined || found.last === null) return [];
  const isMore = found.all > MOST_CHANGES;
  return [
    { data: name, changed: found.all - found.deleted, deleted: found.deleted, lastAt: Date.parse(found.last), isMore },
  ];
}
