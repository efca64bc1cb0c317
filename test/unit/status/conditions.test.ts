import type { Condition } from '../../../src/status/condition.ts';
import { describe, expect, it } from 'vitest';
import { decide, NOTHING_TOLD, told } from '../../../src/alerts/incidents.ts';
import { createAlertStore, readTo } from '../../../src/daemon/alarm.ts';
import { conditionsOf, type Facts } from '../../../src/status/conditions.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { scopeText, streamText, type Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { isComplete, reasonOf, type Doubt, type DoubtKind } from '../../../src/warehouse/doubts.ts';
import { allPositions, NEVER_READ, type StoredPosition } from '../../../src/warehouse/positions.ts';
import { openLab } from '../../support/lab.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-01-12T12:00:00.000Z');
const GB = 1024 ** 3;

const WELL: Facts = {
  positions: [],
  keyRefused: undefined,
  freeBytes: 50 * GB,
  totalBytes: 100 * GB,
  liveRooms: [],
  now: NOW,
};

const found = (change: Partial<Facts>): Condition[] => conditionsOf({ ...WELL, ...change }, { diskFree: 0.05 });
const loud = (conditions: readonly Condition[]) => conditions.filter(({ quiet }) => quiet !== true);

interface Given extends Partial<StoredPosition> {
  /** What the doubt says that a read with that status leaves. */
  readonly reason?: string | undefined;
}

const KIND_OF: Readonly<Record<string, DoubtKind>> = { failed: 'failed', skipped: 'no-scope', incomplete: 'unproven' };

/** A stream that could not be read the last time, unless that is changed. */
function position(data: string, given: Given = {}): StoredPosition {
  const {
    reason = `https://api.hyperstudy.io cannot be reached for ${data} of exp_1: nothing answers at that address.`,
  } = given;
  const lastStatus = 'lastStatus' in given ? given.lastStatus : 'failed';
  const kind = KIND_OF[lastStatus ?? ''] ?? 'unread';
  const doubts: readonly Doubt[] = given.doubts ?? (lastStatus === 'ok' ? [] : [{ kind, text: reason }]);
  return {
    ...NEVER_READ,
    experimentId: 'exp_1',
    data,
    scope: 'experiment',
    dataAsOf: NOW - 3 * HOUR,
    lastSyncAt: NOW - MINUTE,
    ...given,
    lastStatus,
    doubts,
    complete: isComplete(doubts),
    reason: reasonOf(doubts),
  };
}

describe('the conditions', () => {
  it('are none when all is well, a first read is under way, or a stream is skipped', () => {
    const positions = [
      position('events', { lastStatus: 'ok' }),
      position('chat', { lastStatus: undefined, dataAsOf: undefined, reason: 'not read yet' }),
      position('sync', { lastStatus: 'skipped', dataAsOf: undefined }),
    ];
    const liveRooms = [
      { experimentId: 'exp_1', room: 'r1', lastRowAt: NOW - MINUTE, startedAt: NOW - HOUR, readTo: NOW },
    ];
    expect(found({ positions, liveRooms, keyExpiresAt: NOW + 30 * DAY })).toEqual([]);
  });

  it('name the streams that fail, since they were last fine, those with one reason together', () => {
    const positions = [
      position('events'),
      position('chat', {
        scope: 'room:r1',
        reason:
          'https://api.hyperstudy.io cannot be reached for chat of exp_1, room r1: nothing answers at that address.',
      }),
      position('sync', { reason: 'The API failed on sync of exp_1 (HTTP 500): Oops.' }),
      position('rooms', { lastStatus: 'incomplete', reason: 'the listing kept changing while it was read' }),
    ];
    const streams = loud(found({ positions }));
    expect(streams.map(({ part }) => part)).toEqual(['events', 'chat, room r1', 'sync', 'rooms']);
    expect(new Set(streams.map(({ id }) => id)).size).toBe(4);
    const groups = streams.map(({ group }) => group);
    expect(groups[0]).toBe(groups[1]);
    expect(new Set(groups).size).toBe(3);
    expect(streams[0]).toMatchObject({ kind: 'stream', urgent: false, since: NOW - 3 * HOUR });
    expect(streams[0]?.subject).toBe('Some data of exp_1 cannot be read');
    expect(streams[3]?.subject).toBe('Some data of exp_1 may be incomplete');
    expect(streams[3]?.text).toBe('The listing kept changing while it was read.');
  });

  it('take streams of one experiment that name themselves in their reason for one group, whatever their scope', () => {
    const dataset = datasetNamed('events');
    const streams: Stream[] = [
      { experimentId: 'exp_1', dataset, scope: { kind: 'experiment' } },
      { experimentId: 'exp_1', dataset, scope: { kind: 'room', id: 'r@1' } },
      { experimentId: 'exp_1', dataset, scope: { kind: 'participant', id: 'me@example.org', room: 'r1' } },
      { experimentId: 'exp_1', dataset, scope: { kind: 'deployment', id: 'd:1' } },
      { experimentId: 'exp_1', dataset, scope: { kind: 'room', id: 'r1' }, filter: { category: 'component' } },
    ];
    const positions = streams.map((stream) =>
      position('events', { scope: scopeText(stream), reason: `The API failed on ${streamText(stream)} (HTTP 500).` }),
    );
    const conditions = loud(found({ positions }));
    expect(conditions).toHaveLength(streams.length);
    expect(new Set(conditions.map(({ group }) => group)).size).toBe(1);
    expect(conditions.map(({ part }) => part?.replace('events', 'events of exp_1'))).toEqual(streams.map(streamText));
  });

  it('take streams that fail for one reason for one group, although each request has an id of its own', () => {
    const failed = (data: string, id: string) =>
      position(data, { reason: `The API failed on ${data} of exp_1 (HTTP 500): Oops. (request id ${id})` });
    const conditions = loud(found({ positions: [failed('events', 'a-1f'), failed('chat', 'b-9c')] }));
    expect(new Set(conditions.map(({ group }) => group)).size).toBe(1);
    expect(conditions[0]?.text).toContain('(request id a-1f)');
  });

  it('are quiet for streams while the key is refused, and for failures before the service was started', () => {
    const refused = found({ positions: [position('events')], keyRefused: 'The API refuses the key: expired.' });
    expect(loud(refused)).toMatchObject([
      { id: 'key-refused', urgent: true, text: 'The API refuses the key: expired.' },
    ]);
    const old = found({ positions: [position('events')], countsFrom: NOW });
    expect(old.length).toBeGreaterThan(0);
    expect(loud(old)).toEqual([]);
    expect(loud(found({ positions: [position('events')], countsFrom: NOW - HOUR }))).toHaveLength(1);
  });

  it('tell a week before the key expires', () => {
    expect(found({ keyExpiresAt: NOW + 7 * DAY })).toEqual([]);
    const [soon] = found({ keyExpiresAt: NOW + 3 * DAY });
    expect(soon).toMatchObject({ kind: 'key-expiring', urgent: true, subject: 'The API key expires soon' });
    expect(soon?.text).toContain('2026-01-15 12:00 UTC, in 3 d');
    expect(found({ keyExpiresAt: NOW - HOUR })[0]?.subject).toBe('The API key has expired');
  });

  it('tell nothing of a date that the key has outlived, as it is that of a former key', () => {
    const fine = { lastStatus: 'ok' } as const;
    const keyExpiresAt = NOW - 10 * DAY;
    const readBefore = [position('events', { ...fine, dataAsOf: keyExpiresAt - MINUTE })];
    expect(loud(found({ keyExpiresAt, positions: readBefore }))).toHaveLength(1);
    const readOnItsDay = [position('events', { ...fine, dataAsOf: keyExpiresAt + 20 * HOUR })];
    expect(loud(found({ keyExpiresAt, positions: readOnItsDay }))).toHaveLength(1);
    const readLater = [...readBefore, position('chat', { ...fine, dataAsOf: NOW - HOUR })];
    expect(found({ keyExpiresAt, positions: readLater })).toEqual([]);
  });

  it('say once what is wrong with a key that has expired and is refused', () => {
    const both = found({ keyExpiresAt: NOW - DAY, keyRefused: 'The API refuses the key: expired.' });
    expect(loud(both).map(({ kind }) => kind)).toEqual(['key-refused']);
    expect(both.map(({ kind }) => kind)).toContain('key-expiring');
  });

  it('of a key that expires are told once, and their end is told when the configuration has a later date', () => {
    const messages: string[] = [];
    let state = NOTHING_TOLD;
    const check = (now: number, keyExpiresAt: number | undefined) => {
      const decided = decide(found({ keyExpiresAt, now }), state, now, 2 * HOUR);
      state = decided.messages.reduce(told, decided.state);
      messages.push(...decided.messages.map((message) => `${message.state}: ${message.subject}`));
    };
    const end = NOW + 7 * DAY + MINUTE;
    for (let at = 0; at < 10; at++) check(NOW + at * MINUTE, end);
    expect(messages).toEqual(['problem: The API key expires soon']);
    for (let at = 10; at < 20; at++) check(NOW + at * MINUTE, end + 90 * DAY);
    expect(messages).toEqual([
      'problem: The API key expires soon',
      expect.stringMatching(/^recovered: The end of the API key is not near any more, after \d+ min$/),
    ]);
  });

  it('tell that the disk is nearly full, until there is clearly more room', () => {
    expect(found({ freeBytes: 6 * GB })).toEqual([]);
    expect(loud(found({ freeBytes: 5 * GB }))).toEqual([]);
    expect(found({ freeBytes: 5 * GB })).toMatchObject([{ id: 'disk', quiet: true }]);
    const [full] = loud(found({ freeBytes: 4 * GB }));
    expect(full).toMatchObject({ id: 'disk', urgent: true });
    expect(full?.text).toBe('4.0 GB of 100.0 GB are free, 4 %; alerts.diskFree asks for 5 %.');
    expect(conditionsOf({ ...WELL, freeBytes: 0 }, { diskFree: 0 })).toEqual([]);
  });

  it('tell that a live room sends no rows, unless they cannot be read anyway', () => {
    const room = {
      experimentId: 'exp_1',
      room: 'r1',
      lastRowAt: NOW - 12 * MINUTE,
      startedAt: NOW - HOUR,
      readTo: NOW,
    };
    const [silent, ...others] = found({ liveRooms: [room] });
    expect(others).toEqual([]);
    expect(silent).toMatchObject({ kind: 'live-room', urgent: true, text: 'The last row came 12 min ago.' });
    expect(found({ liveRooms: [{ ...room, lastRowAt: undefined }] })[0]?.text).toContain('since it started 1 h ago');
    expect(found({ liveRooms: [{ ...room, lastRowAt: undefined, startedAt: NOW - MINUTE }] })).toEqual([]);
    const isRoom = ({ kind }: Condition) => kind === 'live-room';
    expect(loud(found({ liveRooms: [room], positions: [position('events')] })).filter(isRoom)).toEqual([]);
    expect(loud(found({ liveRooms: [room], keyRefused: 'no' })).filter(isRoom)).toEqual([]);
    // By cron, after a pause, while first reads go on: nobody has looked whether it sends.
    expect(found({ liveRooms: [{ ...room, readTo: NOW - 3 * MINUTE }] })).toEqual([]);
    expect(found({ liveRooms: [{ ...room, readTo: undefined }] })).toEqual([]);
    const elsewhere = position('events', { experimentId: 'exp_2' });
    expect(loud(found({ liveRooms: [room], positions: [elsewhere] })).filter(isRoom)).toHaveLength(1);
  });

  it('tell that nothing can be read at all, once instead of for each stream', () => {
    const trouble = {
      since: NOW - 3 * HOUR,
      code: 'SERVER_UNREACHABLE',
      text: 'https://api.hyperstudy.io cannot be reached for the list of experiments: nothing answers at that address.',
      hint: 'Check the network.',
    } as const;
    const away = found({ trouble, positions: [position('events')] });
    expect(loud(away)).toMatchObject([{ kind: 'halted', subject: 'The API cannot be reached', since: NOW - 3 * HOUR }]);
    const state = decide(away, NOTHING_TOLD, NOW, 2 * HOUR);
    expect(state.messages.map(({ subject }) => subject)).toEqual(['The API cannot be reached']);
    expect(decide(away, NOTHING_TOLD, NOW, 4 * HOUR).messages).toEqual([]);
    const full = found({ trouble: { ...trouble, code: 'WAREHOUSE_FULL', text: 'The disk is full.' } });
    expect(loud(full)).toMatchObject([{ kind: 'halted', subject: 'The warehouse cannot be written' }]);
    expect(loud(found({ trouble, keyRefused: 'no' })).map(({ kind }) => kind)).toEqual(['key-refused']);
    // What failed before it was over is tried again before anybody is told.
    expect(loud(found({ positions: [position('events')], countsFrom: NOW }))).toEqual([]);
  });

  it('tell of the rows that a real sync withheld from deletion, until they are accepted', async () => {
    const lab = await openLab();
    await lab.sync();
    const now = () => found({ positions: allPositions(lab.warehouse.db), now: lab.now });
    expect(now()).toEqual([]);
    const [id = ''] = lab.simulator.world.experimentIds;
    lab.simulator.world.remove('recordings', id, () => true, lab.now + 1);
    for (const wait of [2, 61_000]) {
      lab.now += wait;
      await lab.sync({ selection: { data: ['recordings'] } });
    }
    expect(now()).toMatchObject([
      {
        kind: 'deletes-braked',
        urgent: false,
        part: 'recordings',
        subject: `Rows of ${id} are no longer in the API, and are withheld from deletion`,
      },
    ]);
    await lab.sync({ selection: { data: ['recordings'] }, acceptDeletes: true });
    expect(now()).toEqual([]);
  });

  it('tell what is wrong with a stream by the kind of its doubts, not by their words', () => {
    const stands = (...kinds: DoubtKind[]) =>
      loud(
        found({
          positions: [
            position('events', { lastStatus: 'ok', doubts: kinds.map((kind) => ({ kind, text: `${kind}!` })) }),
          ],
        }),
      ).map(({ kind, id, text }) => [kind, id.split(':')[0], text]);
    expect(stands('withheld')).toEqual([['deletes-braked', 'deletes', 'withheld!']]);
    expect(stands('withheld', 'quarantined')).toEqual([
      ['deletes-braked', 'deletes', 'withheld!'],
      ['stream', 'stream', 'quarantined!'],
    ]);
    expect(stands('lacking', 'rederived')).toEqual([
      ['rederived', 'rederived', expect.stringContaining('derived values of old rows again') as string],
      ['stream', 'stream', 'lacking!'],
    ]);
    expect(stands('gone', 'withheld')).toEqual([['gone', 'stream', 'gone!']]);
    expect(stands('unconfigured', 'failed')).toEqual([]);
    expect(stands('dated-ahead', 'shared-id')).toEqual([]);
  });

  it('tell of a scope that was lost, and of one that was never there only where the data type is named', () => {
    const told = (dataAsOf: number | undefined, isNamed: boolean) =>
      found({
        positions: [position('chat', { lastStatus: 'skipped', dataAsOf, reason: 'it lacks the scope read:chat' })],
        isNamed: () => isNamed,
      }).filter(({ kind }) => kind === 'stream');
    expect(told(NOW - HOUR, false)).toMatchObject([
      {
        subject: 'Some data of exp_1 cannot be read',
        hint: expect.stringContaining('Give the key that scope again') as string,
      },
    ]);
    expect(told(undefined, false)).toEqual([]);
    expect(told(undefined, true)).toHaveLength(1);
  });

  it('tell of an experiment that is gone in one message, and of an empty list instead of all its experiments', () => {
    const doubts: Doubt[] = [{ kind: 'gone', text: 'exp_1 is no longer in the list' }];
    // The daemon was started after they were last read.
    const positions = ['events', 'chat'].map((data) => position(data, { lastStatus: 'ok', doubts }));
    const facts = { positions, gone: new Set(['exp_1']), countsFrom: NOW };
    const gone = loud(found(facts));
    expect(gone.map(({ kind, part }) => [kind, part])).toEqual([
      ['gone', 'events'],
      ['gone', 'chat'],
    ]);
    const { messages } = decide(gone, NOTHING_TOLD, NOW, HOUR);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.subject).toBe('exp_1 can no longer be found with this key');
    expect(messages[0]?.text).toMatch(/^exp_1 is no longer in the list\.\nAffected: events; chat\./);
    const empty = loud(found({ ...facts, seesNothingSince: NOW - HOUR }));
    expect(empty.map(({ subject }) => subject)).toEqual(['The key sees no experiment']);
  });

  it('wait a day for the second reading of rows that one reading did not find', () => {
    const missing = position('events', {
      lastStatus: 'incomplete',
      doubts: [{ kind: 'missing-upstream', text: '3 rows' }],
    });
    let state = NOTHING_TOLD;
    const told = (hours: number, positions: StoredPosition[]) => {
      const now = NOW + hours * HOUR;
      const decided = decide(loud(found({ positions, now })), state, now, 2 * HOUR);
      ({ state } = decided);
      return decided.messages.length;
    };
    expect([0, 3, 23, 25].map((hours) => told(hours, [missing]))).toEqual([0, 0, 0, 1]);
    state = NOTHING_TOLD;
    const lacking = position('events', { lastStatus: 'incomplete' });
    expect(told(0, [lacking])).toBe(1);
  });

  it('tell once of values that the server derived again, what comes later a day later, and never that it is over', () => {
    const changed = (data: string) =>
      position(data, { lastStatus: 'ok', doubts: [{ kind: 'rederived', text: `onset of 9 rows of ${data} changed` }] });
    const messages: string[] = [];
    let state = NOTHING_TOLD;
    const check = (hours: number, positions: StoredPosition[]) => {
      const now = NOW + hours * HOUR;
      const decided = decide(loud(found({ positions, now })), state, now, 2 * HOUR);
      state = decided.messages.reduce(told, decided.state);
      messages.push(...decided.messages.map(({ text }) => /Affected: (.*)\./.exec(text)?.[1] ?? text));
    };
    check(0, [changed('events'), changed('chat')]);
    check(1, [changed('events'), changed('chat'), changed('sync')]);
    expect(messages).toEqual([
      'events of exp_1: onset of 9 rows of events changed; chat of exp_1: onset of 9 rows of chat changed',
    ]);
    for (const hours of [25, 50, 75]) check(hours, [changed('events'), changed('sync')]);
    expect(messages.slice(1)).toEqual(['sync of exp_1: onset of 9 rows of sync changed']);
    for (const hours of [80, 81, 120]) check(hours, []);
    expect(messages).toHaveLength(2);
    check(130, [changed('events')]);
    expect(messages).toHaveLength(3);
  });

  it('leave it open whether kept rows are still missing while their stream cannot be read', () => {
    const deletes = found({ positions: [position('events')] }).filter(({ kind }) => kind === 'deletes-braked');
    expect(deletes).toMatchObject([{ quiet: true }]);
  });
});

describe('what a room sends', () => {
  const read = (data: string, change: Partial<StoredPosition> = {}) =>
    position(data, { lastStatus: 'ok', rows: 9, dataAsOf: NOW, ...change });

  it('was read until the stalest of its streams was', () => {
    const positions = [
      read('rooms', { dataAsOf: NOW - 9 * HOUR }),
      read('events', { dataAsOf: NOW - MINUTE }),
      read('chat', { dataAsOf: NOW - 3 * MINUTE }),
      read('sync', { dataAsOf: NOW - HOUR, rows: 0 }),
      read('ratings/sparse', { dataAsOf: undefined, lastStatus: 'skipped', rows: 0 }),
      read('events', { dataAsOf: NOW - HOUR, experimentId: 'exp_2' }),
      read('chat', { dataAsOf: NOW - HOUR, scope: 'room:r2' }),
    ];
    expect(readTo(positions, 'exp_1', 'r1')).toBe(NOW - 3 * MINUTE);
    expect(readTo(positions, 'exp_1', 'r2')).toBe(NOW - HOUR);
    const unread = read('ratings/continuous', { dataAsOf: undefined, lastStatus: undefined, rows: 0 });
    expect(readTo([...positions, unread], 'exp_1', 'r1')).toBeUndefined();
    expect(readTo([read('rooms')], 'exp_1', 'r1')).toBeUndefined();
  });
});

describe('what was told', () => {
  it('is remembered although the warehouse cannot be written, and stored as soon as it can', async () => {
    const lab = await openLab();
    const { warehouse } = lab;
    const clock = { ...systemClock, now: () => lab.now };
    const store = createAlertStore(warehouse.db, clock, silentLog);
    warehouse.db.pragma('query_only = 1');
    store.save('"told"');
    expect(store.load()).toBe('"told"');
    expect(createAlertStore(warehouse.db, clock, silentLog).load()).toBeUndefined();
    warehouse.db.pragma('query_only = 0');
    store.save('"told again"');
    expect(createAlertStore(warehouse.db, clock, silentLog).load()).toBe('"told again"');
  });
});
