import { describe, expect, it } from 'vitest';
import { decide, NOTHING_SENT, delivered } from '../../../src/alerts/incidents.ts';
import { shownOf, type AffectedStream, type Issue } from '../../../src/status/issue.ts';
import type { ErrorCode } from '../../../src/shared/errors.ts';
import { issuesOf } from '../../../src/status/issues.ts';
import type { Snapshot } from '../../../src/status/snapshot.ts';
import { titleOf } from '../../../src/status/words.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { scopeText, streamText, type Stream } from '../../../src/datasets/stream.ts';
import { isComplete, reasonOf, type Doubt, type DoubtKind } from '../../../src/warehouse/doubts.ts';
import { NO_EXPERIMENTS } from '../../../src/warehouse/experiment-list.ts';
import { allPositions, NEVER_READ, type StoredPosition } from '../../../src/warehouse/positions.ts';
import type { SchemaChange } from '../../../src/warehouse/schema-changes.ts';
import { standingOf } from '../../../src/warehouse/standing.ts';
import { openLab } from '../../support/lab.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-01-12T12:00:00.000Z');
const GB = 1e9;

const DISK = { path: '/w.db', walBytes: 0, freeBytes: 50 * GB, totalBytes: 100 * GB };

/** What is changed of a snapshot in which all is well. */
interface Facts extends Partial<Omit<Snapshot, 'experiments' | 'warehouse'>> {
  readonly positions?: readonly StoredPosition[];
  readonly isNamed?: boolean;
  readonly gone?: readonly string[];
  readonly disk?: Partial<Snapshot['warehouse']>;
}

function snapshot({
  positions = [position('rooms', { lastStatus: 'ok' })],
  isNamed = false,
  ...change
}: Facts): Snapshot {
  const { gone = [], disk = {}, ...others } = change;
  const streams = positions.map((each) => ({ ...each, standing: standingOf(each), isNamed }));
  const isUnconfigured = ({ standing }: { readonly standing: string }) => standing === 'unconfigured';
  const experiments = Map.groupBy(
    streams.filter((stream) => !isUnconfigured(stream)),
    ({ experimentId }) => experimentId,
  );
  return {
    now: NOW,
    experiments: [...experiments].map(([id, all]) => ({
      id,
      name: undefined,
      live: false,
      isGone: gone.includes(id),
      streams: all,
    })),
    unconfigured: streams.filter(isUnconfigured),
    list: [],
    schemaChanges: [],
    keyExpiresAt: undefined,
    refusal: undefined,
    reserve: 0.1,
    warehouse: { ...DISK, ...disk },
    leastFree: 0.05,
    comparing: 0.2,
    ...others,
  };
}

const found = (facts: Facts): Issue[] => issuesOf(snapshot(facts));
/** What an alert may begin with. */
const loud = (issues: readonly Issue[]): Issue[] =>
  issues
    .filter(({ suppressed, alert }) => suppressed === undefined && alert !== 'never')
    .flatMap((issue) => {
      const streams = streamsOf(issue).filter(({ suppressed }) => suppressed === undefined);
      if (streams.length === 0 && streamsOf(issue).length > 0) return [];
      return [{ ...issue, scope: { ...issue.scope, streams } }];
    });
const coded = (issues: readonly Issue[], code: Issue['code']) => issues.filter((issue) => issue.code === code);
const codes = (issues: readonly Issue[]) => issues.map(({ code }) => code);
const streamsOf = ({ scope: { streams = [] } }: Issue): readonly AffectedStream[] => streams;
const namesOf = (issue: Issue | undefined) => (issue === undefined ? [] : streamsOf(issue).map(({ name }) => name));

interface Given extends Partial<StoredPosition> {
  /** What the doubt says that a read with that status leaves. */
  readonly reason?: string | undefined;
  /** The error that such a doubt comes from. */
  readonly code?: ErrorCode;
}

const KIND_OF: Readonly<Record<string, DoubtKind>> = { failed: 'failed', skipped: 'no-scope', incomplete: 'unproven' };

/** A stream that could not be read the last time, unless that is changed. */
function position(data: string, given: Given = {}): StoredPosition {
  const {
    reason = `https://api.hyperstudy.io cannot be reached for ${data} of exp_1: nothing listens at that address.`,
    code,
    ...stored
  } = given;
  const lastStatus = 'lastStatus' in given ? given.lastStatus : 'failed';
  const kind = KIND_OF[lastStatus ?? ''] ?? 'unread';
  const doubts: readonly Doubt[] =
    given.doubts ?? (lastStatus === 'ok' ? [] : [{ kind, text: reason, ...(code === undefined ? {} : { code }) }]);
  return {
    ...NEVER_READ,
    experimentId: 'exp_1',
    data,
    scope: 'experiment',
    dataAsOf: NOW - 3 * HOUR,
    lastSyncAt: NOW - MINUTE,
    ...stored,
    lastStatus,
    doubts,
    complete: isComplete(doubts),
    reason: reasonOf(doubts),
  };
}

describe('the issues', () => {
  it('are none when all is well or a stream is skipped, and only a note while a first read is in progress', () => {
    const positions = [
      position('events', { lastStatus: 'ok' }),
      position('sync', { lastStatus: 'skipped', dataAsOf: undefined }),
    ];
    const liveRooms = [
      { experimentId: 'exp_1', room: 'r1', lastRowAt: NOW - MINUTE, startedAt: NOW - HOUR, readTo: NOW },
    ];
    expect(found({ positions, liveRooms, keyExpiresAt: NOW + 30 * DAY })).toEqual([]);
    const unread = position('chat', { lastStatus: undefined, dataAsOf: undefined, reason: 'not read yet' });
    expect(found({ positions: [...positions, unread] })).toMatchObject([
      {
        code: 'NOT_READ_YET',
        severity: 'note',
        text: '1 of 2 streams have not been read yet: chat of exp_1.',
        alert: 'never',
      },
    ]);
    expect(found({ positions: [] })).toMatchObject([{ code: 'NOT_READ_YET', text: 'No experiment is known yet.' }]);
  });

  it('name each cause once, with the streams that it affects, since these were last fine', () => {
    const positions = [
      position('events', { dataAsOf: NOW - 2 * HOUR }),
      position('chat', {
        scope: 'room:r1',
        reason:
          'https://api.hyperstudy.io cannot be reached for chat of exp_1, room r1: nothing listens at that address.',
      }),
      position('sync', { reason: 'The API failed on sync of exp_1 (HTTP 500): Oops.', code: 'SERVER_FAILED' }),
      position('rooms', { lastStatus: 'incomplete', reason: 'the listing kept changing while it was read' }),
    ];
    const issues = found({ positions });
    expect(issues.map((issue) => [issue.code, issue.severity, loud([issue]).flatMap(namesOf)])).toEqual([
      ['READ_FAILED', 'error', ['events', 'chat, room r1']],
      ['READ_FAILED', 'error', ['sync']],
      ['DELETES_WITHHELD', 'warning', []],
      ['ANSWER_INCOMPLETE', 'warning', ['rooms']],
    ]);
    expect(issues[0]).toMatchObject({
      since: NOW - 3 * HOUR,
      scope: { experiment: 'exp_1' },
      subject: 'Some data of exp_1 cannot be read',
      alert: 'when it lasts',
    });
    expect(issues[3]).toMatchObject({
      subject: 'Some data of exp_1 may be incomplete',
      text: 'The listing kept changing while it was read.',
    });
  });

  it('take streams of one experiment that name themselves in their reason for one cause, whatever their scope', () => {
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
    const [issue, ...others] = loud(found({ positions }));
    expect(others).toEqual([]);
    expect(namesOf(issue).map((name) => name.replace('events', 'events of exp_1'))).toEqual(streams.map(streamText));
  });

  it('take streams that fail with one error for one cause, whatever it says about each of them', () => {
    const failed = (data: string, id: string) =>
      position(data, {
        reason: `The API failed on ${data} of exp_1 (HTTP 500): Oops ${id}. (request id ${id})`,
        code: 'SERVER_FAILED',
      });
    const [issue, ...others] = loud(found({ positions: [failed('events', 'a-1f'), failed('chat', 'b-9c')] }));
    expect(others).toEqual([]);
    expect(issue?.text).toContain('(request id a-1f)');
  });

  it('are suppressed for streams while the key is refused, and for failures before the service was started', () => {
    const refused = found({ positions: [position('events')], keyRefused: 'The API refuses the key: expired.' });
    expect(loud(refused)).toMatchObject([
      { id: 'key-refused', alert: 'at once', text: 'The API refuses the key: expired.' },
    ]);
    expect(codes(shownOf(refused))).toEqual(['KEY_REFUSED']);
    const old = found({ positions: [position('events')], countsFrom: NOW });
    expect(loud(old)).toEqual([]);
    // They are shown all the same.
    expect(codes(shownOf(old))).toEqual(['READ_FAILED']);
    expect(loud(found({ positions: [position('events')], countsFrom: NOW - HOUR }))).toHaveLength(1);
  });

  it('warn a week before the key expires', () => {
    expect(found({ keyExpiresAt: NOW + 7 * DAY })).toEqual([]);
    const [soon] = found({ keyExpiresAt: NOW + 3 * DAY });
    expect(soon).toMatchObject({ code: 'KEY_EXPIRES', alert: 'at once', subject: 'The API key expires soon' });
    expect(soon?.text).toContain('2026-01-15 12:00 UTC, in 3 d');
    const readBefore = [position('events', { lastStatus: 'ok', dataAsOf: NOW - 2 * HOUR })];
    expect(found({ keyExpiresAt: NOW - HOUR, positions: readBefore })[0]?.subject).toBe('The API key has expired');
  });

  it('raise no alert about a date that the key has outlived, as it is that of an earlier key', () => {
    const fine = { lastStatus: 'ok' } as const;
    const keyExpiresAt = NOW - 10 * DAY;
    const readBefore = [position('events', { ...fine, dataAsOf: keyExpiresAt - MINUTE })];
    expect(loud(found({ keyExpiresAt, positions: readBefore }))).toHaveLength(1);
    const readOnItsDay = [position('events', { ...fine, dataAsOf: keyExpiresAt + 20 * HOUR })];
    expect(loud(found({ keyExpiresAt, positions: readOnItsDay }))).toHaveLength(1);
    const readLater = [...readBefore, position('chat', { ...fine, dataAsOf: NOW - HOUR })];
    expect(found({ keyExpiresAt, positions: readLater })).toMatchObject([
      { code: 'KEY_EXPIRES', severity: 'note', alert: 'never' },
    ]);
  });

  it('say once what is wrong with a key that has expired and is refused', () => {
    const both = found({
      positions: [position('events', { lastStatus: 'ok', dataAsOf: NOW - 2 * DAY })],
      keyExpiresAt: NOW - DAY,
      keyRefused: 'The API refuses the key: expired.',
    });
    expect(codes(shownOf(both))).toEqual(['KEY_REFUSED']);
    expect(codes(both)).toContain('KEY_EXPIRES');
  });

  it('raise one alert about a key that expires, which ends when the configuration has a later date', () => {
    const messages: string[] = [];
    let state = NOTHING_SENT;
    const check = (now: number, keyExpiresAt: number | undefined) => {
      const decided = decide(found({ keyExpiresAt, now }), state, now, 2 * HOUR);
      state = decided.messages.reduce(delivered, decided.state);
      messages.push(...decided.messages.map((message) => `${message.state}: ${message.subject}`));
    };
    const end = NOW + 7 * DAY + MINUTE;
    for (let at = 0; at < 10; at++) check(NOW + at * MINUTE, end);
    expect(messages).toEqual(['problem: The API key expires soon']);
    for (let at = 10; at < 20; at++) check(NOW + at * MINUTE, end + 90 * DAY);
    expect(messages).toEqual([
      'problem: The API key expires soon',
      expect.stringMatching(/^recovered: The API key no longer expires soon, after \d+ min$/),
    ]);
  });

  it('report for a day that another program uses the key', () => {
    const at = NOW - 23 * HOUR;
    expect(found({ refusal: { at, endpoint: 'chat', waitMs: 1 } })).toMatchObject([
      { code: 'KEY_SHARED', severity: 'warning', since: at, subject: 'Another program uses the same key' },
    ]);
    expect(found({ refusal: { at: NOW - 25 * HOUR, endpoint: 'chat', waitMs: 1 } })).toEqual([]);
  });

  it('report that the disk is nearly full, until there is clearly more free space', () => {
    const free = (gigabytes: number) => found({ disk: { freeBytes: gigabytes * GB } });
    expect(free(6)).toEqual([]);
    expect(loud(free(5))).toEqual([]);
    expect(free(5)).toMatchObject([{ code: 'DISK_LOW', suppressed: 'unknown' }]);
    expect(shownOf(free(5))).toEqual([]);
    expect(loud(free(4))).toMatchObject([
      { code: 'DISK_LOW', alert: 'at once', text: '4.0 GB of 100.0 GB are free (4 %); alerts.diskFree is 5 %.' },
    ]);
    expect(found({ disk: { freeBytes: 0 }, leastFree: 0 })).toEqual([]);
  });

  it('report that a reader keeps the write-ahead log from being emptied', () => {
    expect(found({ disk: { walBytes: 200 * 1024 ** 2 } })).toEqual([]);
    expect(found({ disk: { walBytes: 300 * 1024 ** 2 } })).toMatchObject([
      { code: 'WAL_LARGE', severity: 'warning', alert: 'never', text: expect.stringContaining('300 MB') as string },
    ]);
  });

  it('report that a live room sends no rows, unless they cannot be read anyway', () => {
    const room = {
      experimentId: 'exp_1',
      room: 'r1',
      lastRowAt: NOW - 12 * MINUTE,
      startedAt: NOW - HOUR,
      readTo: NOW,
    };
    const [silent, ...others] = found({ liveRooms: [room] });
    expect(others).toEqual([]);
    expect(silent).toMatchObject({
      code: 'ROOM_SILENT',
      alert: 'at once',
      scope: { experiment: 'exp_1', room: 'r1' },
      text: 'The last row came 12 min ago.',
    });
    expect(found({ liveRooms: [{ ...room, lastRowAt: undefined }] })[0]?.text).toContain('since it started 1 h ago');
    expect(found({ liveRooms: [{ ...room, lastRowAt: undefined, startedAt: NOW - MINUTE }] })).toEqual([]);
    const silentIn = (facts: Facts) => coded(loud(found({ liveRooms: [room], ...facts })), 'ROOM_SILENT');
    expect(silentIn({ positions: [position('events')] })).toEqual([]);
    expect(silentIn({ keyRefused: 'no' })).toEqual([]);
    // By cron, after a pause, while first reads go on: no one has looked whether it sends.
    expect(found({ liveRooms: [{ ...room, readTo: NOW - 3 * MINUTE }] })).toEqual([]);
    expect(found({ liveRooms: [{ ...room, readTo: undefined }] })).toEqual([]);
    expect(silentIn({ positions: [position('events', { experimentId: 'exp_2' })] })).toHaveLength(1);
  });

  it('report that nothing can be read at all once, instead of for each stream', () => {
    const outage = {
      since: NOW - 3 * HOUR,
      code: 'SERVER_UNREACHABLE',
      text: 'https://api.hyperstudy.io cannot be reached for the list of experiments: nothing listens at that address.',
      hint: 'Check the network.',
    } as const;
    const away = found({ outage, positions: [position('events')] });
    expect(loud(away)).toMatchObject([
      { code: 'SERVER_UNREACHABLE', subject: 'The API cannot be reached', since: NOW - 3 * HOUR },
    ]);
    const state = decide(away, NOTHING_SENT, NOW, 2 * HOUR);
    expect(state.messages.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['halted', 'The API cannot be reached'],
    ]);
    expect(decide(away, NOTHING_SENT, NOW, 4 * HOUR).messages).toEqual([]);
    const full = found({ outage: { ...outage, code: 'WAREHOUSE_FULL', text: 'The disk is full.' } });
    expect(loud(full)).toMatchObject([{ code: 'WAREHOUSE_FULL', subject: 'The warehouse cannot be written' }]);
    expect(codes(loud(found({ outage, keyRefused: 'no' })))).toEqual(['KEY_REFUSED']);
    // A moment is no news.
    expect(shownOf(found({ outage: { ...outage, since: NOW - 20_000 } }))).toEqual([]);
    // What failed before it was over is tried again before anybody is told.
    expect(loud(found({ positions: [position('events')], countsFrom: NOW }))).toEqual([]);
  });

  it('report without a daemon what kept the last sync from reading, at once', () => {
    const outage = {
      since: NOW - 20_000,
      code: 'SERVER_UNREACHABLE',
      text: 'https://api.hyperstudy.io cannot be reached for the list of experiments: nothing listens at that address.',
      hint: 'Check the network.',
      isOfSync: true,
    } as const;
    expect(shownOf(found({ outage }))).toMatchObject([
      {
        code: 'SERVER_UNREACHABLE',
        subject: 'The last sync could not reach the API',
        hint: 'Check the network. Then run: hsw sync now',
      },
    ]);
    const refused = { ...outage, code: 'KEY_REFUSED' } as const;
    expect(codes(shownOf(found({ outage: refused, keyRefused: 'It has expired.' })))).toEqual(['KEY_REFUSED']);
  });

  it('report the rows that a real sync withheld from deletion, until their deletion is accepted', async () => {
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
    const [issue, ...others] = now();
    expect(others).toEqual([]);
    expect(issue).toMatchObject({
      code: 'DELETES_WITHHELD',
      alert: 'when it lasts',
      subject: `Rows of ${id} are no longer in the API and are withheld from deletion`,
    });
    expect(namesOf(issue)).toEqual(['recordings']);
    await lab.sync({ selection: { data: ['recordings'] }, acceptDeletes: true });
    expect(now()).toEqual([]);
  });

  it('report what is wrong with a stream by the kind of its doubts, not by their words', () => {
    const stands = (...kinds: DoubtKind[]) =>
      shownOf(
        found({
          positions: [
            position('events', { lastStatus: 'ok', doubts: kinds.map((kind) => ({ kind, text: `${kind}!` })) }),
          ],
        }),
      ).map(({ code, text, scope }) => [code, text, scope.streams?.map(({ name }) => name)]);
    expect(stands('withheld')).toEqual([['DELETES_WITHHELD', 'withheld!', ['events']]]);
    expect(stands('withheld', 'quarantined')).toEqual([
      ['DELETES_WITHHELD', 'withheld!', ['events']],
      ['ANSWER_INCOMPLETE', 'quarantined!', ['events']],
    ]);
    expect(stands('missing-upstream')).toEqual([['ROWS_MISSING', 'missing-upstream!', ['events']]]);
    expect(stands('lacking', 'rederived')).toEqual([
      ['ANSWER_INCOMPLETE', 'lacking!', ['events']],
      [
        'DATA_REDERIVED',
        expect.stringContaining('derived values of old rows of exp_1 again') as string,
        ['events: rederived!'],
      ],
    ]);
    expect(stands('gone', 'withheld')).toEqual([['PART_GONE', 'gone!', ['events']]]);
    expect(stands('dropped-writes')).toEqual([
      ['WRITES_DROPPED', expect.stringContaining('_answer_metadata') as string, ['events: dropped-writes!']],
    ]);
    expect(stands('dated-ahead', 'shared-id')).toEqual([
      ['ROWS_AHEAD', expect.stringContaining('are kept') as string, ['events: dated-ahead!']],
      ['IDS_SHARED', expect.stringContaining('are kept') as string, ['events: shared-id!']],
    ]);
  });

  it('report new fields and types once, in one issue for each data type, for eight days', () => {
    const change = (id: number, data: string, more: Partial<SchemaChange> = {}): SchemaChange => ({
      id,
      data,
      field: `field${id}`,
      change: 'new field',
      typeBefore: null,
      typeNow: 'object',
      experimentId: 'exp_1',
      records: 12,
      since: NOW - 9 * DAY,
      seenAt: NOW - 2 * HOUR,
      ...more,
    });
    const schemaChanges = [
      change(1, 'events'),
      change(2, 'events', { change: 'changed type', typeBefore: 'number', typeNow: 'text', records: 1 }),
      change(3, 'chat', { field: 'ada@example.org', since: undefined }),
      change(4, 'chat', { field: null, change: 'more', typeNow: null, records: 10_000 }),
    ];
    const issues = found({ schemaChanges });
    expect(issues.map(({ code, severity, subject }) => [code, severity, subject])).toEqual([
      ['SCHEMA_CHANGED', 'note', 'Records of events have new fields or types'],
      ['SCHEMA_CHANGED', 'note', 'Records of chat have new fields or types'],
    ]);
    expect(issues.map(namesOf)).toEqual([
      [
        'a new field field1 (object) in 12 records since 2026-01-03, first in exp_1',
        'field2 as text instead of number in 1 record since 2026-01-03, first in exp_1',
      ],
      [
        'a new field (see _schema_changes) (object) in 12 records since 2026-01-12, first in exp_1',
        'more changes than are listed in 10,000 records since 2026-01-03, first in exp_1',
      ],
    ]);
    expect(issues.map(titleOf)).toEqual([
      'Records of events have new fields or types (2 changes)',
      'Records of chat have new fields or types (2 changes)',
    ]);
    expect(found({ schemaChanges, now: NOW + 7 * DAY })).toHaveLength(2);
    expect(found({ schemaChanges, now: NOW + 8 * DAY })).toEqual([]);

    let state = NOTHING_SENT;
    const heard = (now: number, changes = schemaChanges) => {
      const decided = decide(found({ schemaChanges: changes, now }), state, now, HOUR);
      state = decided.messages.reduce(delivered, decided.state);
      return decided.messages.map(({ text }) => text);
    };
    expect(heard(NOW)).toEqual([expect.stringContaining('What changed: a new field field1 (object) in 12 records')]);
    expect([heard(NOW + DAY), heard(NOW + 3 * DAY), heard(NOW + 9 * DAY, [])]).toEqual([[], [], []]);
  });

  it('say what to do about streams that are stopped for a new field, and not that the next sync helps', () => {
    const text = 'records came with a new field mood (text), and the stream is stopped until that is accepted';
    const doubts: Doubt[] = [{ kind: 'schema', text }];
    const positions = ['exp_1', 'exp_2'].map((experimentId) =>
      position('chat', { experimentId, lastStatus: 'incomplete', doubts }),
    );
    expect(found({ positions })).toMatchObject([
      {
        code: 'SCHEMA_FROZEN',
        severity: 'warning',
        alert: 'at once',
        text: expect.stringMatching(
          /^Records came with a new field mood \(text\), .* The rows that came are kept/,
        ) as string,
        hint: expect.stringContaining('hsw sync now --accept-schema') as string,
        scope: { streams: [{ name: 'chat of exp_1' }, { name: 'chat of exp_2' }] },
      },
    ]);
  });

  it('say of what is no longer configured only that it is no longer read', () => {
    const doubts: Doubt[] = [{ kind: 'unconfigured', text: 'it is no longer configured' }];
    const positions = [
      position('rooms', { lastStatus: 'ok' }),
      position('chat', { lastStatus: 'failed', doubts, rows: 7 }),
    ];
    expect(found({ positions })).toMatchObject([
      {
        code: 'NOT_CONFIGURED',
        severity: 'note',
        alert: 'never',
        text: 'They are no longer read; their 7 rows are kept.',
      },
    ]);
  });

  it('report a scope that was lost, and one that was never there only if the data type is named', () => {
    const told = (dataAsOf: number | undefined, isNamed: boolean) =>
      coded(
        found({
          positions: [position('chat', { lastStatus: 'skipped', dataAsOf, reason: 'it lacks the scope read:chat' })],
          isNamed,
        }),
        'SCOPE_MISSING',
      );
    expect(told(NOW - HOUR, false)).toMatchObject([
      {
        subject: 'The key may no longer read some data',
        hint: expect.stringContaining('Give the key that scope again') as string,
      },
    ]);
    expect(told(undefined, false)).toEqual([]);
    expect(told(undefined, true)).toMatchObject([{ subject: 'The key may not read some data' }]);
  });

  it('report an experiment that is gone once, as of its last read, and an empty list instead of all its experiments', () => {
    const doubts: Doubt[] = [{ kind: 'gone', text: 'exp_1 is no longer in the list' }];
    // The daemon was started after they were last read.
    const positions = ['events', 'chat'].map((data, hours) =>
      position(data, { lastStatus: 'ok', doubts, dataAsOf: NOW - (3 + hours) * HOUR }),
    );
    const facts: Facts = { positions, gone: ['exp_1'], countsFrom: NOW };
    const [gone, ...others] = loud(found(facts));
    expect(others).toEqual([]);
    expect(gone).toMatchObject({ code: 'EXPERIMENT_GONE', severity: 'error', since: NOW - 3 * HOUR });
    expect(namesOf(gone)).toEqual(['events', 'chat']);
    const { messages } = decide(found(facts), NOTHING_SENT, NOW, HOUR);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.subject).toBe('exp_1 can no longer be found with this key');
    expect(messages[0]?.text).toMatch(
      /^exp_1 is no longer in the list of .* Its rows are kept\. They are as of 2026-01-12 09:00 UTC\.\nAffected: events; chat\.\n\nThis began at 2026-01-12 09:00 UTC, 3 h ago\./,
    );
    const list = [{ ...NO_EXPERIMENTS, since: NOW - HOUR }];
    expect(loud(found({ ...facts, list })).map(({ subject }) => subject)).toEqual([
      'The key cannot see any experiment',
    ]);
  });

  it('report that the list of experiments may be incomplete', () => {
    const list = [{ code: 'LIST_INCOMPLETE', message: 'The list may lack some: cut.', hint: 'Wait.' }] as const;
    expect(found({ list })).toMatchObject([
      { code: 'LIST_INCOMPLETE', severity: 'warning', alert: 'never', text: 'The list may lack some: cut.' },
    ]);
  });

  it('report which streams have not been fully compared for long, and what compares them', () => {
    const positions = [57, 61, 70].map((days) =>
      position('events', { lastStatus: 'ok', scope: `room:r${days}`, verifiedAt: NOW - days * DAY }),
    );
    const [issue, ...others] = found({ positions });
    expect(others).toEqual([]);
    expect(issue?.subject).toBe('2 streams were last fully compared with the API more than 60 days ago');
    expect(issue?.text).toContain('The oldest is events of exp_1 (room:r70): 2025-11-03 12:00 UTC.');
    expect(issue?.hint).toContain('raise reconcile.budgetShare in the config (now 0.2)');
    expect(found({ positions, comparing: undefined })[0]?.hint).toContain(
      'Only the daemon compares old rows by itself',
    );
  });

  it('wait a day for the second reading of rows that one reading did not find', () => {
    const missing = position('events', {
      lastStatus: 'incomplete',
      doubts: [{ kind: 'missing-upstream', text: '3 rows' }],
    });
    let state = NOTHING_SENT;
    const told = (hours: number, positions: StoredPosition[]) => {
      const now = NOW + hours * HOUR;
      const decided = decide(found({ positions, now }), state, now, 2 * HOUR);
      ({ state } = decided);
      return decided.messages.length;
    };
    expect([0, 3, 23, 25].map((hours) => told(hours, [missing]))).toEqual([0, 0, 0, 1]);
    state = NOTHING_SENT;
    const lacking = position('events', { lastStatus: 'incomplete' });
    expect(told(0, [lacking])).toBe(1);
  });

  it('report all values that the server derived again within a day together, and never that it is over', () => {
    const changed = (data: string, experimentId = 'exp_1') =>
      position(data, {
        experimentId,
        lastStatus: 'ok',
        doubts: [{ kind: 'rederived', text: `onset of 9 rows of ${data} changed` }],
      });
    const messages: string[] = [];
    let state = NOTHING_SENT;
    const check = (hours: number, ...positions: StoredPosition[]) => {
      const now = NOW + hours * HOUR;
      const decided = decide(found({ positions, now }), state, now, 2 * HOUR);
      state = decided.messages.reduce(delivered, decided.state);
      messages.push(
        ...decided.messages.map(({ text }) =>
          [...text.matchAll(/Affected: (.*)\./g)].map(([, names]) => names).join(' | '),
        ),
      );
    };
    const first = changed('events');
    const all = [first, changed('chat'), changed('sync'), changed('chat', 'exp_2')];
    check(0, first);
    check(0.5, first, changed('chat'));
    check(1, ...all);
    check(1.9, ...all);
    expect(messages).toEqual([]);
    check(2, ...all);
    expect(messages).toEqual([
      'events: onset of 9 rows of events changed; chat: onset of 9 rows of chat changed; sync: onset of 9 rows of sync changed | chat: onset of 9 rows of chat changed',
    ]);
    // What comes later is told a day later.
    const later = changed('rooms');
    for (const hours of [3, 25, 27, 50, 75]) check(hours, ...all, later);
    expect(messages.slice(1)).toEqual(['rooms: onset of 9 rows of rooms changed']);
    for (const hours of [80, 81, 120]) check(hours);
    expect(messages).toHaveLength(2);
    for (const hours of [130, 132]) check(hours, first);
    expect(messages).toHaveLength(3);
  });

  it('report within a day values that the server keeps deriving again', () => {
    const doubts: Doubt[] = [{ kind: 'rederived', text: 'onset changed' }];
    const derived = (rooms: number) =>
      Array.from({ length: rooms }, (_, n) => position('events', { lastStatus: 'ok', scope: `room:r${n}`, doubts }));
    let state = NOTHING_SENT;
    const toldAt: number[] = [];
    for (let at = 0; at <= 30; at += 0.5) {
      const decided = decide(found({ positions: derived(1 + 2 * at) }), state, NOW + at * HOUR, 2 * HOUR);
      state = decided.messages.reduce(delivered, decided.state);
      if (decided.messages.length > 0) toldAt.push(at);
    }
    expect(toldAt).toEqual([24]);
  });

  it('leave it open whether withheld rows are still missing while their stream cannot be read', () => {
    const [deletes, ...others] = coded(found({ positions: [position('events')] }), 'DELETES_WITHHELD');
    expect(others).toEqual([]);
    expect(deletes === undefined ? [] : streamsOf(deletes).map(({ suppressed }) => suppressed)).toEqual(['unknown']);
    expect(deletes === undefined ? [] : shownOf([deletes])).toEqual([]);
  });

  it('are in the order of their urgency: of equally grave ones first what concerns everything, then what waits for a person', () => {
    const issues = found({
      positions: [position('events'), position('chat', { lastStatus: 'skipped', reason: 'no scope' })],
      disk: { freeBytes: 0 },
      refusal: { at: NOW, endpoint: 'chat', waitMs: 1 },
      list: [NO_EXPERIMENTS],
    });
    expect(codes(shownOf(issues))).toEqual([
      'NO_EXPERIMENTS',
      'SCOPE_MISSING',
      'READ_FAILED',
      'KEY_SHARED',
      'DISK_LOW',
    ]);
  });
});
