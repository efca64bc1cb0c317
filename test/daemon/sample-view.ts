import { DATA_TYPES } from '../../src/datasets/registry.ts';
import { issuesOf } from '../../src/status/issues.ts';
import type { Spent, StreamView } from '../../src/status/snapshot.ts';
import type { DaemonView } from '../../src/status/view.ts';
import type { DoubtKind } from '../../src/warehouse/doubts.ts';
import { NEVER_READ } from '../../src/warehouse/positions.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../src/shared/time.ts';

/** Name, id, whether rooms are open now, and how large the experiment is. */
const LAB: readonly (readonly [string, string, boolean, number])[] = [
  ['Shared film viewing, wave 2', 'exp_7kQ2mVx9', true, 1],
  ['Dyadic negotiation', 'exp_Hc41TzpL', true, 0.7],
  ['Music and synchrony', 'exp_9fWbR3ae', true, 0.45],
  ['Moral dilemmas with an AI partner', 'exp_tN58sYdu', false, 0.6],
  ['Storytelling over video chat', 'exp_Zr0Gk6Pw', false, 0.8],
  ['Emotional contagion in groups of four', 'exp_m2XcL7vB', false, 1.3],
  ['Joint attention, eye tracking pilot', 'exp_4yEJq8Hs', false, 0.2],
  ['Trust game, long version', 'exp_VdU6a1Rf', false, 0.5],
  ['Shared film viewing, wave 1', 'exp_pK93wMtC', false, 1.1],
  ['Conspiracy talk, replication', 'exp_0bSxN5iQ', false, 0.4],
  ['Humour and closeness', 'exp_Ly7ToG2k', false, 0.3],
  ['Silent co-presence, control', 'exp_eD1hZ4uX', false, 0.15],
];

const SIZES: Record<string, number> = {
  'ratings/continuous': 412_000,
  'ratings/sparse': 3100,
  eyetracking: 96_000,
  events: 18_400,
  sync: 52_000,
  chat: 2700,
  components: 6200,
  variables: 1900,
  experiments: 1,
  'experiment-configs': 1,
  deployments: 3,
  rooms: 42,
};

/**
 * A lab in the middle of an afternoon: three experiments live, two with an issue. Equal `now` gives an equal view,
 * whose issues are those of what is changed.
 */
export function sampleView(now: number, change: Partial<DaemonView> = {}): DaemonView {
  const experiments = LAB.map(([name, id, live, scale], i) => ({
    id,
    name,
    live,
    isGone: false,
    streams: DATA_TYPES.flatMap((data, j) =>
      data === 'variables' && live
        ? [1, 2, 3].map((room) =>
            stream(now, { id, data, scope: `room:room_${i}${room}`, scale: scale / 3, at: 7 * i + j }),
          )
        : [stream(now, { id, data, scope: 'experiment', scale, at: 7 * i + j })],
    ).map((each) => troubled(id, each, now)),
  }));
  const rows = experiments.flatMap(({ streams }) => streams).reduce((sum, each) => sum + each.rows, 0);
  const view: Omit<DaemonView, 'issues'> = {
    version: '0.2.0',
    startedAt: now - 9 * DAY - 5 * HOUR,
    now,
    lastProgressAt: now - 4000,
    warehouse: { path: '/srv/hyperstudy/data/hyperstudy.db', walBytes: 4_120_000, freeBytes: 212e9, totalBytes: 500e9 },
    leastFree: 0.05,
    patienceMs: 10 * MINUTE,
    keyRefused: undefined,
    schemaChanges: [],
    keyExpiresAt: undefined,
    refusal: { at: now - 2 * HOUR, endpoint: 'chat', waitMs: 1000 },
    reserve: 0.1,
    outage: undefined,
    countsFrom: 0,
    list: [],
    unconfigured: [],
    liveRooms: [],
    comparing: 0.2,
    waitsUntil: undefined,
    schedule: '*/5 * * * *',
    budget: budget(),
    work: [
      {
        stream: 'ratings/continuous of exp_7kQ2mVx9',
        since: now - 21_000,
        fetched: 7000,
        total: 12_400,
      },
      { stream: 'eyetracking of exp_Hc41TzpL, room room_12', since: now - 4000, fetched: 2000, total: undefined },
    ],
    experiments,
    recent: [
      {
        at: now - 6 * MINUTE,
        code: 'SERVER_FAILED',
        text: 'The API failed on recordings of exp_tN58sYdu (HTTP 503): upstream timed out. The stream keeps its position.',
        hint: 'This usually passes soon: the next sync continues from there.',
      },
      {
        at: now - 26 * HOUR,
        code: 'SCOPE_MISSING',
        text: 'The key may not read videochat of exp_VdU6a1Rf: it lacks the scope read:videochat.',
        hint: 'Create a key with that scope in HyperStudy, or remove the data type from the config.',
      },
      {
        at: now - 31 * HOUR,
        code: 'SERVER_UNREACHABLE',
        text: 'https://api.hyperstudy.io cannot be reached for chat of exp_9fWbR3ae: it did not answer in time.',
        hint: 'Check the network and api.baseUrl; the next sync continues from there.',
      },
    ],
    growth: Array.from({ length: 97 }, (_, i) => {
      const missing = (96 - i) / 96;
      const steps = 0.7 * missing + 0.3 * missing ** 2 + 0.03 * Math.sin(i / 5) * missing;
      return { at: now - (96 - i) * 15 * MINUTE, rows: Math.round(rows - 148_000 * steps) };
    }),
    ...change,
  };
  return { ...view, issues: issuesOf(view) };
}

function stream(
  now: number,
  { id, data, scope, scale, at }: { id: string; data: string; scope: string; scale: number; at: number },
): StreamView {
  const base = SIZES[data] ?? 140;
  return {
    ...NEVER_READ,
    doubts: [],
    experimentId: id,
    isNamed: false,
    data,
    scope,
    rows: base === 1 ? 1 : Math.round(base * scale * (0.8 + ((at * 37) % 41) / 100)),
    complete: true,
    standing: 'complete',
    reason: undefined,
    dataAsOf: now - 20_000 - ((at * 53) % (60 + ((at * 3) % 230))) * 1000,
    verifiedAt: now - HOUR - ((at * 29) % 70) * HOUR,
    lastStatus: 'ok',
    nextAt: now + 15_000 + ((at * 31) % 270) * 1000,
  };
}

/** What is not well in the sample. */
function troubled(id: string, each: StreamView, now: number): StreamView {
  const is = (experiment: string, data: string) => id === experiment && each.data === data;
  if (is('exp_tN58sYdu', 'recordings')) {
    return {
      ...each,
      complete: false,
      standing: 'failed',
      lastStatus: 'failed',
      ...doubted(
        'failed',
        'The API failed on recordings of exp_tN58sYdu (HTTP 503): upstream timed out. The stream keeps its position.',
      ),
      dataAsOf: now - 11 * MINUTE,
    };
  }
  if (is('exp_4yEJq8Hs', 'events')) {
    return {
      ...each,
      complete: false,
      standing: 'incomplete',
      lastStatus: 'incomplete',
      ...doubted('warned', 'the API warned: MISSING_INDEX. Results may be incomplete'),
      dataAsOf: now - 52 * MINUTE,
    };
  }
  if (is('exp_VdU6a1Rf', 'videochat')) {
    return {
      ...each,
      rows: 0,
      complete: false,
      standing: 'skipped',
      lastStatus: 'skipped',
      ...doubted('no-scope', 'The key may not read videochat of exp_VdU6a1Rf: it lacks the scope read:videochat.'),
      dataAsOf: undefined,
      verifiedAt: undefined,
    };
  }
  if (id === 'exp_eD1hZ4uX' && ['eyetracking', 'agent-decisions', 'agent-runs'].includes(each.data)) {
    const never = { dataAsOf: undefined, verifiedAt: undefined, lastStatus: undefined, rows: 0 };
    return { ...each, ...never, complete: false, standing: 'unread', ...doubted('unread', 'not read yet') };
  }
  return each;
}

/** Why a stream is not complete. */
function doubted(kind: DoubtKind, text: string) {
  return { doubts: [{ kind, text }], reason: text, lastError: kind === 'failed' ? text : undefined };
}

function budget(): Spent {
  const perMinute = Array.from({ length: 60 }, (_, i) => (i % 5 === 2 ? 34 + ((i * 17) % 23) : (i * 7) % 5));
  const used = perMinute.reduce((sum, n) => sum + n, 0);
  return {
    hour: { used, allowed: 900 },
    minute: ['ratings/continuous', 'eyetracking', 'events', 'chat', 'sync', 'rooms'].map((endpoint, i) => ({
      endpoint,
      used: [61, 22, 9, 4, 4, 0][i] ?? 0,
      allowed: 90,
    })),
    perMinute,
    waitsUntil: undefined,
  };
}
