/** A day of the freshness simulation's lab as the simulated API has it, record by record. */
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { createWorld, type World } from '../../src/simulator/world.ts';
import { createLab, type Lab, type LabSession, type LabStream } from '../../test/simulation/freshness/lab.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';

/** Which field holds the id, where the data type has one. */
const ID: Readonly<Record<string, string>> = {
  events: 'id',
  chat: 'messageId',
  'ratings/continuous': 'ratingId',
  'ratings/sparse': 'ratingId',
  sync: 'metricId',
  recordings: 'recordingId',
};

export interface DayOptions {
  readonly seed: number;
  /** Midnight UTC of the day. */
  readonly midnight: number;
  /** Each n-th of the continuous ratings only, as the simulated API searches all of them for each request. */
  readonly thin: number;
}

/** Data types of the lab; those that the simulated API knows in rooms only are read room by room. */
export const DAY_TYPES = [
  'events',
  'chat',
  'videochat',
  'ratings/continuous',
  'ratings/sparse',
  'sync',
  'eyetracking',
  'components',
  'variables',
  'participants',
  'rooms',
  'recordings',
] as const;

/** Every record carries `reachedAt`, the time in milliseconds at which the API has it. */
export function dayWorld({ seed, midnight, thin }: DayOptions): World {
  const lab = createLab({ seed, days: 1 });
  const world = createWorld({
    seed,
    start: midnight,
    experiments: lab.experiments,
    roomsPerExperiment: 0,
    participantsPerRoom: 0,
    videoSeconds: 0,
    roomEveryMs: 0,
  });
  world.experimentIds.forEach((id, experiment) => {
    const sessions = lab.sessions.filter((session) => session.experiment === experiment);
    sessions.forEach((session, n) => addRoom(world, id, roomName(experiment, n), session, midnight));
    for (const stream of lab.streams.filter((one) => one.experiment === experiment))
      addRows({
        world,
        lab,
        id,
        stream,
        sessions,
        midnight,
        thin: stream.dataType === 'ratings/continuous' ? thin : 1,
      });
  });
  return world;
}

function roomName(experiment: number, session: number): string {
  return `room_${experiment}_${session}`;
}

/** A room opens two minutes before its session, is active in it, and completed at its end. */
function addRoom(world: World, experimentId: string, id: string, { start, end }: LabSession, midnight: number): void {
  const opened = Math.round(midnight + start - 2 * MINUTE);
  const base = { id, experimentId, createdAt: iso(opened), reachedAt: opened };
  world.insert('rooms', experimentId, { ...base, status: 'waiting' }, opened);
  const own = (record: SimRecord) => record['id'] === id;
  const later = (at: number, more: SimRecord) =>
    void world.edit('rooms', experimentId, own, (record) => ({ ...record, ...more }), at);
  later(midnight + start, { status: 'active', startedAt: iso(midnight + start) });
  later(midnight + end, { status: 'completed', endedAt: iso(midnight + end) });
}

interface Rows {
  readonly world: World;
  readonly lab: Lab;
  readonly id: string;
  readonly stream: LabStream;
  readonly sessions: readonly LabSession[];
  readonly midnight: number;
  readonly thin: number;
}

function addRows({ world, id, stream, sessions, midnight, thin }: Rows): void {
  const { dataType, experiment, arrivals } = stream;
  if (dataType === 'rooms') return;
  let row = 0;
  arrivals.at.forEach((at, batch) => {
    const last = arrivals.upTo[batch] ?? 0;
    const session = Math.max(
      0,
      sessions.findLastIndex(({ start }) => start - 2 * MINUTE <= at),
    );
    for (; row < last; row++) {
      if (row % thin !== 0) continue;
      const reachedAt = Math.round(midnight + at);
      // A browser sends what it gathered in the seconds before.
      const happened = iso(reachedAt - 200 - (last - row) * 50);
      const record = recordOf(dataType, `${experiment}_${row}`, happened, sessions[session]?.people ?? 1, row);
      world.insert(
        dataType,
        id,
        { ...record, experimentId: id, roomId: roomName(experiment, session), reachedAt },
        reachedAt,
      );
    }
  });
}

function recordOf(dataType: string, id: string, happened: string, people: number, row: number): SimRecord {
  if (dataType === 'participants') return { id: `user_${id}`, joinedAt: happened, status: 'active' };
  const participantId = `user_${row % people}`;
  const time = dataType === 'recordings' ? { startTime: happened } : { timestamp: happened };
  const field = ID[dataType];
  const name = field === undefined ? { note: id } : { [field]: `${dataType.replace('/', '_')}_${id}` };
  return { ...name, participantId, ...time, value: row % 101 };
}

/** Every record of the day's data types, for a comparison with what a warehouse holds. */
export function* livesOf(world: World): Generator<{ dataType: string; experimentId: string; lives: readonly Life[] }> {
  for (const dataType of DAY_TYPES)
    for (const experimentId of world.experimentIds)
      yield { dataType, experimentId, lives: world.lives(dataType, experimentId) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
