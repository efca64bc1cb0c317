import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { inOrder, secondsOf, timeText } from './moment.ts';
import { membersOf, Num, Text, textIn } from './source.ts';

/** Completion codes of a participation that reached the end; COMPLETED_NO_CODE had none to give. */
export const COMPLETE = ['SUCCESS', 'COMPLETED_NO_CODE'];

const Listed = z.object({
  room_id: Text,
  role: Text,
  completion_code: Text,
  joined_at: Text,
  completed_at: Text,
  is_agent: Num,
});

export type Listed = z.infer<typeof Listed>;

/** The participations of a person, as `participants` lists them. */
export function listedAs(db: Database, experiment: string, participant: string | null): Listed[] {
  const columns = Object.keys(Listed.shape).join(', ');
  const sql = `SELECT ${columns} FROM participants WHERE +experiment_id = ? AND id = ? ORDER BY key`;
  return queryRows(db, sql, Listed).all(experiment, participant);
}

export function personOf(listed: Listed | undefined) {
  const { joined_at = null, completed_at = null, completion_code: code = null } = listed ?? {};
  const [joined, completed] = [secondsOf(joined_at), secondsOf(completed_at)];
  return {
    role: listed?.role ?? null,
    is_agent: listed?.is_agent ?? null,
    is_listed: Number(listed !== undefined),
    completion_code: code,
    is_complete: code === null ? null : Number(COMPLETE.includes(code)),
    joined_at,
    joined_unix: joined,
    completed_at,
    completed_unix: completed,
    duration_s: joined === null || completed === null ? null : (completed * 1000 - joined * 1000) / 1000,
  };
}

export function experimentName(db: Database, experiment: string): string | null {
  const sql = `SELECT name FROM experiments WHERE experiment_id = @experiment
    UNION ALL SELECT name FROM experiment_configs WHERE experiment_id = @experiment`;
  return (
    queryValues(db, sql, Text)
      .all({ experiment })
      .find((name) => name !== null) ?? null
  );
}

const Room = z.object({ deployment_id: Text, deployment_name: Text, extra: Text });

/** The names of a room and of the deployment that opened it. */
export function roomOf(db: Database, experiment: string, room: string | null) {
  const sql = `SELECT deployment_id, deployment_name, extra FROM rooms WHERE +experiment_id = @experiment AND id = @room
    UNION ALL SELECT deployment_id, NULL, extra FROM deployment_sessions WHERE +experiment_id = @experiment AND id = @room`;
  const found = room === null ? [] : queryRows(db, sql, Room).all({ experiment, room });
  const deployment_id = found.find(({ deployment_id }) => deployment_id !== null)?.deployment_id ?? null;
  return {
    deployment_id,
    deployment_name:
      found.find(({ deployment_name }) => deployment_name !== null)?.deployment_name ??
      nameOfDeployment(db, experiment, deployment_id),
    room_name:
      found.map(({ extra }) => textIn(membersOf(extra), 'name', 'roomName')).find((name) => name !== null) ?? null,
  };
}

function nameOfDeployment(db: Database, experiment: string, deployment: string | null): string | null {
  const sql = 'SELECT name FROM deployments WHERE experiment_id = ? AND id = ?';
  return (deployment === null ? undefined : queryValues(db, sql, Text).get(experiment, deployment)) ?? null;
}

const Timed = z.object({ timestamp: z.string(), onset: z.number() });

/** When onset 0 was, by a person's first event in the room. Events before the matching count from elsewhere. */
export function clockZeroOf(db: Database, experiment: string, room: string | null, participant: string | null) {
  const sql = `SELECT timestamp, onset FROM events WHERE participant_id = ? AND +room_id = ? AND +experiment_id = ?
    AND onset IS NOT NULL AND timestamp IS NOT NULL AND category IS NOT 'pre_experiment' ORDER BY timestamp, key LIMIT 1`;
  const first = room === null ? undefined : queryRows(db, sql, Timed).get(participant, room, experiment);
  const zero = first === undefined ? undefined : Date.parse(first.timestamp) - first.onset;
  return {
    clock_zero_at: timeText(zero),
    clock_zero_unix: zero === undefined ? null : zero / 1000,
  };
}

const State = z.object({ key: z.string(), timestamp: Text, onset: Num, state_id: Text, state_name: Text });

/**
 * The state of a person's last event that names one, in a room or anywhere. The order is that of the onsets, as in
 * `stages`; what has none is placed by its timestamp. Events before the matching come first, as they count from elsewhere.
 */
export function lastStateOf(
  db: Database,
  experiment: string,
  { room, participant }: { room: string | null | undefined; participant: string | null },
) {
  const parameters = { participant, experiment, anywhere: Number(room === undefined), room: room ?? null };
  const lastWith = (onset: string) =>
    queryRows(
      db,
      `SELECT key, timestamp, onset, state_id, state_name FROM events
       WHERE participant_id = @participant AND +experiment_id = @experiment AND (@anywhere OR +room_id IS @room)
       AND state_id IS NOT NULL AND ${onset}
       ORDER BY category IS 'pre_experiment', onset DESC, timestamp DESC, key DESC LIMIT 1`,
      State,
    ).all(parameters);
  const last = inOrder([...lastWith('onset IS NOT NULL'), ...lastWith('onset IS NULL')]).at(-1);
  return { last_state_id: last?.state_id ?? null, last_state_name: last?.state_name ?? null };
}

/** Numbers the rooms of an experiment, and the participants of each room; returns how many rows that changes. */
export function numberPeople(db: Database, experiment: string): number {
  const rooms = command(
    db,
    `WITH opened AS (
       SELECT p.room_id, coalesce(min(r.created_at), min(p.joined_at)) AS at
       FROM people p LEFT JOIN rooms r ON r.experiment_id = p.experiment_id AND r.id = p.room_id
       WHERE p.experiment_id = @experiment AND p.room_id IS NOT NULL GROUP BY p.room_id),
     ranked AS (SELECT room_id, row_number() OVER (ORDER BY at IS NULL, at, room_id) AS n FROM opened)
     UPDATE people SET room_number = ranked.n FROM ranked
     WHERE people.experiment_id = @experiment AND people.room_id = ranked.room_id AND people.room_number IS NOT ranked.n`,
  );
  const participants = command(
    db,
    `WITH ranked AS (
       SELECT rowid AS id, row_number() OVER (PARTITION BY room_id ORDER BY joined_at IS NULL, joined_at, participant_id) AS n
       FROM people WHERE experiment_id = @experiment AND room_id IS NOT NULL)
     UPDATE people SET participant_number = ranked.n FROM ranked
     WHERE people.rowid = ranked.id AND people.participant_number IS NOT ranked.n`,
  );
  return rooms({ experiment }) + participants({ experiment });
}
