import { describe, expect, it, vi } from 'vitest';
import { dueNow, computeDueTimes, type DueTime, type Situation } from '../../../src/schedule/due-times.ts';
import { createPollStats } from '../../../src/daemon/poll-stats.ts';
import { openSchedule, type Schedule } from '../../../src/schedule/slots.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { streamText, type Scope, type Stream } from '../../../src/datasets/stream.ts';
import { NEVER_READ, type Position } from '../../../src/warehouse/positions.ts';
import { SECOND_MS as SECOND, MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-01-12T11:10:00.000Z');

const at = (time: string) => Date.parse(`2026-01-12T${time}:00.000Z`);
const stream = (data: string, experimentId = 'exp_1', scope: Scope = { kind: 'experiment' }): Stream => ({
  experimentId,
  dataset: datasetNamed(data),
  scope,
});
const EVENTS = stream('events');

const READ: Position = {
  ...NEVER_READ,
  backfilled: true,
  complete: true,
  reason: undefined,
  lastStatus: 'ok',
  lastSyncAt: NOW - MINUTE,
};

/** The due times of streams that are all read alike, in a quiet, adaptive warehouse with plenty of requests. */
function dueTimesOf(position: Partial<Position>, change: Partial<Situation> = {}) {
  return computeDueTimes({
    config: { schedule: 'adaptive', experiments: [{ all: true }] },
    streams: [EVENTS],
    positionOf: () => ({ ...READ, ...position }),
    pollStats: createPollStats(),
    isLive: () => false,
    changedAt: () => 0,
    limits: { perHour: 900, perEndpointPerMinute: 90 },
    scheduleOf: (expression) => openSchedule(expression, 'UTC'),
    connectedAt: 0,
    workingSince: 0,
    now: NOW,
    ...change,
  });
}

function only({ entries }: { readonly entries: readonly DueTime[] }): DueTime {
  const [entry, ...more] = entries;
  if (entry === undefined || more.length > 0) throw new Error(`there are ${entries.length} entries`);
  return entry;
}

/** Observations of streams that failed so often, or bring so many rows. */
const having = (seen: {
  failures?: number;
  restsUntil?: number;
  of?: (key: string) => [rows: number, cost: number];
}) => ({
  ...createPollStats(),
  failures: () => seen.failures ?? 0,
  restsUntil: () => seen.restsUntil ?? 0,
  of: (key: string) => {
    const [rowsPerHour, cost] = seen.of?.(key) ?? [0, 1];
    return { rowsPerHour, cost };
  },
});

const schedule = (expression: string): Partial<Situation> => ({
  config: { schedule: expression, experiments: [{ all: true }] },
});

describe('a first read', () => {
  it.each(['adaptive', '0 3 * * *'])('is due at once, whatever the schedule (%s)', (expression) => {
    const entry = only(dueTimesOf(NEVER_READ, schedule(expression)));
    expect(entry).toMatchObject({ isFirstRead: true, readAt: 0 });
    expect(entry.dueAt).toBeLessThanOrEqual(0);
  });

  it('is due again at once where the server derived the data again, also in a room that is over', () => {
    const entry = only(
      dueTimesOf({
        backfilled: true,
        rereadReason: 'the server changed onset',
        lastSyncAt: NOW,
        lastStatus: 'incomplete',
      }),
    );
    expect(entry).toMatchObject({ isFirstRead: true, isReread: true });
    expect(entry.dueAt).toBeLessThanOrEqual(NOW);
  });

  it('that came out incomplete is due again after an hour', () => {
    const entry = only(dueTimesOf({ backfilled: false, lastStatus: 'incomplete' }));
    expect([entry.isFirstRead, entry.dueAt - entry.readAt]).toEqual([true, HOUR]);
  });

  it('that was interrupted goes on at once', () => {
    expect(only(dueTimesOf({ backfilled: false, lastStatus: 'ok' })).dueAt).toBe(0);
  });
});

describe('an adaptive schedule', () => {
  it.each([
    ['of a live experiment after some 20 seconds', true, 18 * SECOND, 22 * SECOND],
    ['of a quiet one after half an hour to an hour and a half', false, HOUR / 2, 1.5 * HOUR],
  ])('reads a stream %s', (_, live, least, most) => {
    const { dueAt, readAt, live: isLive } = only(dueTimesOf({}, { isLive: () => live }));
    expect(isLive).toBe(live);
    expect(dueAt - readAt).toBeGreaterThanOrEqual(least);
    expect(dueAt - readAt).toBeLessThanOrEqual(most);
  });

  it('reads an incomplete stream no later than a complete one', () => {
    expect(only(dueTimesOf({ complete: false, lastStatus: 'incomplete' })).dueAt).toBe(only(dueTimesOf({})).dueAt);
  });

  it('reads the stream that brings most rows soonest, where requests are few', () => {
    const dueTimes = dueTimesOf(
      {},
      {
        streams: [stream('chat'), EVENTS],
        isLive: () => true,
        limits: { perHour: 60, perEndpointPerMinute: 90 },
        pollStats: having({ of: (key) => [key.startsWith('events') ? 100_000 : 0, 1] }),
      },
    );
    const [chat, events] = dueTimes.entries;
    expect(Number(events?.dueAt)).toBeLessThan(Number(chat?.dueAt));
    expect(dueTimes.requestsPerHour).toBeLessThanOrEqual(60);
  });

  it.each([
    ['once for rows that are read by time', 'events', 180],
    ['each time for a listing', 'recordings', 720],
  ])('counts the requests of a long answer %s', (_, data, perHour) => {
    const pollStats = having({ of: () => [0, 4] });
    const { requestsPerHour } = dueTimesOf({}, { streams: [stream(data)], isLive: () => true, pollStats });
    expect(requestsPerHour).toBeCloseTo(perHour);
  });

  it.each([
    ['at once where the API counts other records since', NOW - 30 * SECOND, NOW - 30 * SECOND],
    ['at its own time where the count changed before it was read', NOW - HOUR, undefined],
  ])('reads a stream %s', (_, changedAt, expected) => {
    const changed = only(dueTimesOf({}, { changedAt: () => changedAt }));
    expect(changed.dueAt).toBe(expected ?? only(dueTimesOf({})).dueAt);
  });

  it('asks whether the count changed for the stream’s own experiment and data type', () => {
    const changedAt = vi.fn(() => 0);
    dueTimesOf({}, { changedAt });
    expect(changedAt.mock.calls).toEqual([['exp_1', 'events']]);
  });
});

describe('a cron schedule', () => {
  it.each([
    ['the slot that passed since the last read', '10:30', '11:00'],
    ['the latest slot where several passed', '06:30', '11:00'],
    ['the next slot where none passed', '11:05', '12:00'],
    ['the next slot where the last read began in a slot', '11:00', '12:00'],
  ])('makes a stream due at %s', (_, readAt, dueAt) => {
    expect(only(dueTimesOf({ lastSyncAt: at(readAt) }, schedule('0 * * * *'))).dueAt).toBe(at(dueAt));
  });

  it('that has no slot ahead makes a stream due never', () => {
    const empty: Schedule = { lastSlot: () => undefined, nextSlot: () => undefined };
    expect(only(dueTimesOf({}, { ...schedule('0 0 31 2 *'), scheduleOf: () => empty })).dueAt).toBe(Infinity);
  });

  it('does not look at counts, and takes nothing from the requests that adaptive streams share', () => {
    const dueTimes = dueTimesOf({}, { ...schedule('0 * * * *'), changedAt: () => NOW });
    expect([only(dueTimes).dueAt, dueTimes.requestsPerHour]).toEqual([at('12:00'), 0]);
  });

  it('of an experiment wins over that of all experiments, and this one over the general one', () => {
    const config: Situation['config'] = {
      schedule: '30 * * * *',
      experiments: [
        { all: true, schedule: '20 * * * *' },
        { id: 'exp_own', schedule: '40 * * * *' },
        { id: 'exp_bare' },
      ],
    };
    const streams = ['exp_own', 'exp_other', 'exp_bare'].map((id) => stream('events', id));
    const due = dueTimesOf({}, { config, streams }).entries.map(({ dueAt }) => dueAt);
    expect(due).toEqual([at('11:40'), at('11:20'), at('11:30')]);
    const general = { ...config, experiments: [{ all: true as const }] };
    expect(only(dueTimesOf({}, { config: general })).dueAt).toBe(at('11:30'));
  });
});

describe('a stream that could not be read', () => {
  it.each([
    ['failed', 0, 5],
    ['failed', 1, 5],
    ['failed', 2, 10],
    ['failed', 3, 20],
    ['failed', 4, 40],
    ['failed', 5, 60],
    ['failed', 50, 60],
    ['skipped', 0, 360],
    ['skipped', 1, 360],
    ['skipped', 5, 360],
  ])('is left alone where it %s (failures in a row: %i) for %i minutes', (lastStatus, failures, minutes) => {
    for (const backfilled of [true, false]) {
      const entry = only(dueTimesOf({ lastStatus, backfilled }, { pollStats: having({ failures }) }));
      expect((entry.dueAt - entry.readAt) / MINUTE).toBe(minutes);
    }
  });

  it('waits as long under a cron schedule, and is not hastened by a changed count', () => {
    const change = { ...schedule('* * * * *'), changedAt: () => NOW };
    const entry = only(dueTimesOf({ lastStatus: 'failed' }, change));
    expect(entry.dueAt - entry.readAt).toBe(5 * MINUTE);
  });

  it.each([
    ['at once after a new key or configuration', { connectedAt: NOW }, 7, true],
    ['at once when the network works again, where it failed once', { workingSince: NOW }, 1, true],
    ['after its wait when the network works again, where it failed more often', { workingSince: NOW }, 2, false],
    ['after its wait where the key changed before it failed', { connectedAt: NOW - HOUR }, 1, false],
  ])('is tried %s', (_, change, failures, atOnce) => {
    for (const lastStatus of ['failed', 'skipped']) {
      const entry = only(dueTimesOf({ lastStatus }, { ...change, pollStats: having({ failures }) }));
      expect(entry.dueAt <= NOW).toBe(atOnce);
    }
  });

  it('is left alone until its time of rest is over, however due it is', () => {
    const pollStats = having({ restsUntil: NOW + 3 * MINUTE });
    expect(only(dueTimesOf(NEVER_READ, { pollStats })).dueAt).toBe(NOW + 3 * MINUTE);
    expect(only(dueTimesOf({ lastSyncAt: NOW - 48 * HOUR }, { pollStats })).dueAt).toBe(NOW + 3 * MINUTE);
  });
});

describe('a clock that was set back', () => {
  const ahead = { lastSyncAt: NOW + 24 * HOUR };
  it.each([
    ['adaptive', {}, 'adaptive'],
    ['cron', {}, '0 * * * *'],
    ['failed', { lastStatus: 'failed' }, 'adaptive'],
    ['skipped', { lastStatus: 'skipped' }, 'adaptive'],
    ['first, incomplete', { backfilled: false, lastStatus: 'incomplete' }, 'adaptive'],
  ])('makes a stream due that was read at a time still to come (%s)', (_, position, expression) => {
    expect(only(dueTimesOf({ ...ahead, ...position }, schedule(expression))).dueAt).toBeLessThanOrEqual(NOW);
  });
});

describe('the due times', () => {
  it('leaves out the rooms that are finished, and nothing else that is', () => {
    const streams = [EVENTS, ...['r1', 'r2'].map((id) => stream('variables', 'exp_1', { kind: 'room', id }))];
    const positionOf = (one: Stream) => ({ ...READ, finished: streamText(one) !== 'variables of exp_1, room r2' });
    const { entries } = dueTimesOf({}, { streams, positionOf });
    expect(entries.map(({ key }) => key)).toEqual(['events of exp_1', 'variables of exp_1, room r2']);
  });

  it('names the experiments that are in session, and asks for each but once', () => {
    const isLive = vi.fn((id: string) => id === 'exp_2');
    const streams = [EVENTS, stream('chat'), stream('events', 'exp_2')];
    const { live, entries } = dueTimesOf({}, { streams, isLive });
    expect([...live]).toEqual(['exp_2']);
    expect(isLive.mock.calls.map(([id]) => id)).toEqual(['exp_1', 'exp_2']);
    expect(entries.map((entry) => entry.live)).toEqual([false, false, true]);
  });
});

describe('what is due now', () => {
  const entry = (key: string, change: Partial<DueTime>): DueTime => ({
    stream: EVENTS,
    key,
    live: false,
    isFirstRead: false,
    isReread: false,
    readAt: NOW - HOUR,
    dueAt: NOW,
    ...change,
  });
  const order = (...entries: DueTime[]) =>
    dueNow({ entries, live: new Set(), requestsPerHour: 0 }, NOW).map(({ key }) => key);

  it('is what is due by this millisecond', () => {
    const later = [entry('soon', { dueAt: NOW + 1 }), entry('never', { dueAt: Infinity })];
    expect(order(...later, entry('now', {}))).toEqual(['now']);
  });

  it('is in the order of how much of their time has passed, live experiments before all others', () => {
    const first = { isFirstRead: true, readAt: 0, dueAt: 0 };
    expect(
      order(
        entry('read an hour ago, due now', {}),
        entry('never read', first),
        entry('read two minutes ago, due a minute ago', { readAt: NOW - 2 * MINUTE, dueAt: NOW - MINUTE }),
        entry('live, due now', { live: true, readAt: NOW - MINUTE }),
        entry('live, never read', { ...first, live: true }),
      ),
    ).toEqual([
      'live, never read',
      'live, due now',
      'never read',
      'read two minutes ago, due a minute ago',
      'read an hour ago, due now',
    ]);
  });

  it('keeps the order of the streams where nothing tells them apart', () => {
    const first = { readAt: 0, dueAt: 0 };
    expect(order(entry('rooms', first), entry('events', first))).toEqual(['rooms', 'events']);
    expect(order(entry('b', {}), entry('a', {}))).toEqual(['b', 'a']);
  });
});
