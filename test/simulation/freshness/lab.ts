/** A lab's month: 20 experiments, two of them in session at a time by day, and when the server has which rows. */
import { createRandom, type Random } from '../../../src/simulator/random.ts';
import { SECOND_MS as SECOND, MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../../src/shared/time.ts';

export { DAY };

/** Rows of a stream as the server gets them: in batches, by time. `upTo[i]` counts the rows up to batch i. */
export interface Arrivals {
  readonly at: Float64Array;
  readonly upTo: Float64Array;
}

export interface LabStream {
  readonly index: number;
  readonly experiment: number;
  readonly dataType: string;
  /** Read by listing everything, so that a poll costs as many requests as there are pages. */
  readonly listed: boolean;
  readonly arrivals: Arrivals;
}

export interface LabSession {
  readonly experiment: number;
  readonly start: number;
  readonly end: number;
  readonly people: number;
}

export interface Lab {
  readonly durationMs: number;
  readonly experiments: number;
  readonly streams: readonly LabStream[];
  readonly sessions: readonly LabSession[];
  readonly rows: number;
}

/** How a data type's rows come about in a session. */
interface Kind {
  readonly dataType: string;
  /** The share of experiments that use it. */
  readonly used: number;
  /** Milliseconds between two rows of a participant: drawn once for each experiment. */
  readonly everyMs: readonly [number, number];
  /** Milliseconds for which a browser gathers rows before it sends them. */
  readonly gatherMs: number;
  /** Rows come evenly, as samples do; otherwise at random. */
  readonly even?: boolean;
  /** Only while a video plays. */
  readonly video?: boolean;
  readonly listed?: boolean;
}

const KINDS: readonly Kind[] = [
  { dataType: 'events', used: 1, everyMs: [4 * SECOND, 10 * SECOND], gatherMs: 2 * SECOND },
  { dataType: 'chat', used: 0.4, everyMs: [20 * SECOND, 60 * SECOND], gatherMs: 0 },
  { dataType: 'videochat', used: 0.3, everyMs: [5 * MINUTE, 15 * MINUTE], gatherMs: 0 },
  { dataType: 'ratings/continuous', used: 0.7, everyMs: [100, 500], gatherMs: 10 * SECOND, even: true, video: true },
  { dataType: 'ratings/sparse', used: 0.8, everyMs: [40 * SECOND, 120 * SECOND], gatherMs: SECOND },
  { dataType: 'sync', used: 0.8, everyMs: [5 * SECOND, 5 * SECOND], gatherMs: 10 * SECOND, even: true, video: true },
  { dataType: 'eyetracking', used: 0.15, everyMs: [SECOND, SECOND], gatherMs: 10 * SECOND, even: true, video: true },
  { dataType: 'components', used: 1, everyMs: [MINUTE, 3 * MINUTE], gatherMs: SECOND, listed: true },
  { dataType: 'variables', used: 0.5, everyMs: [30 * SECOND, 90 * SECOND], gatherMs: 0 },
  // Once for each participant or room, see `once`.
  { dataType: 'participants', used: 1, everyMs: [Infinity, Infinity], gatherMs: 0 },
  { dataType: 'rooms', used: 1, everyMs: [Infinity, Infinity], gatherMs: 0 },
  { dataType: 'recordings', used: 0.7, everyMs: [Infinity, Infinity], gatherMs: 0 },
];

export const DATA_TYPES: readonly string[] = KINDS.map(({ dataType }) => dataType);

export interface LabOptions {
  readonly seed: number;
  readonly days: number;
  readonly experiments?: number;
  /** Sessions that go on at a time by day. */
  readonly lanes?: number;
}

/** Each lane runs sessions of one experiment for half a day, then of another, from 8 to 20 o'clock. */
export function createLab({ seed, days, experiments = 20, lanes = 2 }: LabOptions): Lab {
  const random = createRandom(seed);
  const sessions = Array.from({ length: days }, (_, day) => sessionsOf(day, experiments, lanes, random)).flat();
  const streams = Array.from({ length: experiments }, (_, experiment) =>
    KINDS.map((kind, k): LabStream => {
      const own = sessions.filter((session) => session.experiment === experiment);
      const [least, most] = kind.everyMs;
      const everyMs = least === most ? least : least + random.next() * (most - least);
      const batches = random.chance(kind.used) ? own.flatMap((session) => rowsOf(kind, everyMs, session, random)) : [];
      return {
        index: experiment * KINDS.length + k,
        experiment,
        dataType: kind.dataType,
        listed: kind.listed ?? false,
        arrivals: arrivalsOf(batches),
      };
    }),
  ).flat();
  const rows = streams.reduce((sum, { arrivals }) => sum + (arrivals.upTo.at(-1) ?? 0), 0);
  return { durationMs: days * DAY, experiments, streams, sessions, rows };
}

function sessionsOf(day: number, experiments: number, lanes: number, random: Random): LabSession[] {
  const found: LabSession[] = [];
  const taken = new Set<number>();
  for (const half of [8, 14]) {
    for (let lane = 0; lane < lanes; lane++) {
      let experiment = random.int(0, experiments - 1);
      while (taken.has(experiment)) experiment = random.int(0, experiments - 1);
      taken.add(experiment);
      const end = day * DAY + (half + 6) * HOUR;
      let start = day * DAY + half * HOUR + random.next() * 30 * MINUTE;
      for (;;) {
        const lasts = (30 + random.next() * 30) * MINUTE;
        if (start + lasts > end) break;
        found.push({ experiment, start, end: start + lasts, people: random.int(2, 6) });
        start += lasts + (5 + random.next() * 20) * MINUTE;
      }
    }
  }
  return found;
}

interface Batch {
  readonly at: number;
  readonly rows: number;
}

function rowsOf(kind: Kind, everyMs: number, session: LabSession, random: Random): Batch[] {
  if (everyMs === Infinity) return once(kind.dataType, session, random);
  return Array.from({ length: session.people }, () => {
    const outages = random.chance(0.1) ? outageOf(session, random) : undefined;
    const [from, to] = kind.video === true ? videoOf(session) : [session.start, session.end];
    const sent = new Map<number, number>();
    const phase = random.next() * Math.max(1, kind.gatherMs);
    let at = from + random.next() * everyMs;
    while (at < to) {
      let reaches = at + 200;
      if (kind.gatherMs > 0) reaches = phase + Math.ceil((at - phase) / kind.gatherMs) * kind.gatherMs + 200;
      if (outages !== undefined && reaches >= outages.from && reaches < outages.to) reaches = outages.to;
      sent.set(reaches, (sent.get(reaches) ?? 0) + 1);
      at += kind.even === true ? everyMs : -Math.log(1 - random.next()) * everyMs;
    }
    return [...sent].map(([time, rows]) => ({ at: time, rows }));
  }).flat();
}

/** The part of a session in which participants watch and rate. */
function videoOf({ start, end }: LabSession): [number, number] {
  return [start + 0.15 * (end - start), start + 0.85 * (end - start)];
}

/** A browser that loses its connection for up to five minutes sends its rows when it is back. */
function outageOf({ start, end }: LabSession, random: Random): { from: number; to: number } {
  const from = start + random.next() * (end - start);
  return { from, to: from + random.next() * 5 * MINUTE };
}

function once(dataType: string, { start, end, people }: LabSession, random: Random): Batch[] {
  const each = (at: number, within: number) =>
    Array.from({ length: people }, () => ({ at: at + random.next() * within, rows: 1 }));
  if (dataType === 'rooms') return [{ at: start - 2 * MINUTE, rows: 1 }];
  if (dataType === 'participants') return each(start - 2 * MINUTE, 2 * MINUTE);
  return each(end, 3 * MINUTE);
}

function arrivalsOf(batches: readonly Batch[]): Arrivals {
  const sorted = batches.toSorted((a, b) => a.at - b.at);
  let total = 0;
  return {
    at: Float64Array.from(sorted, ({ at }) => at),
    upTo: Float64Array.from(sorted, ({ rows }) => (total += rows)),
  };
}
