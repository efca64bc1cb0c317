import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLedger, type Ledger } from '../../../src/budget/ledger.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { temporaryFolder } from '../../support/lab.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../../src/shared/time.ts';

/** A machine that has been up for a day, whose clock anybody may set, and which may be rebooted. */
function machine() {
  const state = { real: 24 * HOUR, wall: 1.8e12, bootedAt: 0, boot: 1 };
  const clock: Clock = {
    now: () => state.wall,
    uptime: () => state.real - state.bootedAt,
    get bootId() {
      return `boot-${state.boot}`;
    },
    sleep: () => Promise.resolve(),
  };
  return {
    clock,
    state,
    pass: (ms: number) => {
      state.real += ms;
      state.wall += ms;
    },
    reboot: () => {
      state.bootedAt = state.real;
      state.boot++;
    },
  };
}

function open(db: Database.Database, clock: Clock, perHour = 1000, perMinute = 100): Ledger {
  return openLedger(db, {
    clock,
    keyId: 'k',
    perHour,
    perEndpointPerMinute: perMinute,
    reserve: 0.1,
    deadlineMs: 10_000,
  });
}

function database() {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}

describe('the ledger', () => {
  it('gives low priorities no more than their share, and the rest to everything else', () => {
    const { clock, pass } = machine();
    const db = database();
    const shares: Readonly<Record<number, number>> = { 6: 0.25 };
    const ledger = openLedger(db, {
      clock,
      keyId: 'k',
      perHour: 100,
      perEndpointPerMinute: 40,
      reserve: 0,
      shareOf: (priority) => shares[priority] ?? 1,
      deadlineMs: 10_000,
    });
    const spend = (priority: number) => {
      let spent = 0;
      for (let i = 0; i < 200; i++) {
        const grant = ledger.tryStart('events', priority);
        if (!('token' in grant)) break;
        ledger.finish(grant.token);
        spent++;
      }
      return spent;
    };
    // A quarter of the minute first, then of the hour; the rest of the minute is left for what is more important.
    expect([spend(6), spend(2)]).toEqual([10, 30]);
    pass(MINUTE);
    expect(spend(6)).toBe(10);
    pass(MINUTE);
    expect(spend(6)).toBe(5);
    expect(ledger.tryStart('events', 6)).toMatchObject({ limit: 'share' });
    pass(MINUTE);
    expect(ledger.tryStart('events', 6)).toMatchObject({ limit: 'share' });
    expect(spend(2)).toBe(40);
    expect(ledger.usage().perMinute.slice(-4)).toEqual([40, 10, 5, 40]);
  });

  it('gives as many tokens as the limit minus the reserve, and the next one a window after an answer', () => {
    const { clock, pass } = machine();
    const ledger = open(database(), clock);
    const tokens = Array.from({ length: 90 }, () => ledger.tryStart('events'));
    expect(tokens.every((grant) => 'token' in grant)).toBe(true);
    expect(ledger.tryStart('events')).toMatchObject({ limit: 'minute' });
    expect(ledger.tryStart('chat')).toHaveProperty('token');
    pass(5000);
    for (const grant of tokens) if ('token' in grant) ledger.finish(grant.token);
    expect(ledger.tryStart('events')).toEqual({ waitMs: MINUTE, limit: 'minute' });
    pass(MINUTE - 1);
    expect(ledger.tryStart('events')).toEqual({ waitMs: 1, limit: 'minute' });
    pass(1);
    expect(ledger.tryStart('events')).toHaveProperty('token');
  });

  it('assumes that the time since boot lags by one step, so that no token returns early', () => {
    const { clock } = machine();
    const ledger = open(database(), { ...clock, uptimeStepMs: 10 }, 1000, 1);
    const grant = ledger.tryStart('events');
    if ('token' in grant) ledger.finish(grant.token);
    expect(ledger.tryStart('events')).toEqual({ waitMs: MINUTE + 10, limit: 'minute' });
  });

  it('counts a request of a killed process until its deadline and one window have passed', () => {
    const { clock, pass } = machine();
    const db = database();
    expect(open(db, clock, 1000, 1).tryStart('events')).toHaveProperty('token');
    pass(10_000 + MINUTE - 1);
    expect(open(db, clock, 1000, 1).tryStart('events')).toEqual({ waitMs: 1, limit: 'minute' });
    pass(1);
    expect(open(db, clock, 1000, 1).tryStart('events')).toHaveProperty('token');
  });

  it('starts no request during a wait that the API requested, even after a restart', () => {
    const { clock, pass } = machine();
    const db = database();
    open(db, clock).pause('events', 30_000);
    expect(open(db, clock).tryStart('events')).toMatchObject({ limit: 'minute' });
    expect(open(db, clock).tryStart('chat')).toHaveProperty('token');
    pass(29_999);
    expect(open(db, clock).tryStart('events')).not.toHaveProperty('token');
    pass(MINUTE);
    expect(open(db, clock).tryStart('events')).toHaveProperty('token');
  });

  /** Takes requests for as long as the ledger grants them. */
  const spend = (ledger: Ledger, endpoint: string, most = Infinity) => {
    let spent = 0;
    for (; spent < most; spent++) {
      const grant = ledger.tryStart(endpoint);
      if (!('token' in grant)) break;
      ledger.finish(grant.token);
    }
    return spent;
  };

  it("attributes the rest of the minute's limit to others after a 429, for that endpoint and in every process", () => {
    const { clock, pass } = machine();
    const db = database();
    expect(spend(open(db, clock), 'events', 40)).toBe(40);
    open(db, clock).pause('events', 12_000);
    expect(spend(open(db, clock), 'chat')).toBe(90);
    // 60 are others' and return from the 12th second to the 60th; the first ten of them are the reserve.
    pass(12_000);
    expect(spend(open(db, clock), 'events')).toBe(0);
    pass(24_000);
    expect(spend(open(db, clock), 'events')).toBe(21);
    expect(open(db, clock).usage().minute.get('events')).toEqual({ used: 90, allowed: 90 });
    pass(MINUTE);
    expect(spend(open(db, clock), 'events')).toBe(90);
  });

  it("concludes from a wait longer than a minute that the hour's limit is used up, and frees others' requests one by one", () => {
    const { clock, pass } = machine();
    const db = database();
    expect(spend(open(db, clock), 'events', 40)).toBe(40);
    open(db, clock).pause('events', 10 * MINUTE);
    expect(open(db, clock).usage()).toMatchObject({ hour: { used: 900, allowed: 900 }, others: 860 });
    expect(open(db, clock).usage().perMinute.at(-1)).toBe(40);
    pass(10 * MINUTE);
    expect(open(db, clock).tryStart('chat')).toMatchObject({ limit: 'hour' });
    pass(25 * MINUTE);
    // Half of the time from the tenth minute to the sixtieth is over, and half of theirs has returned.
    expect(open(db, clock).usage()).toMatchObject({ hour: { used: 519 }, others: 479 });
    const granted = ['events', 'chat', 'sync', 'rooms', 'videochat'].map((endpoint) =>
      spend(open(db, clock), endpoint),
    );
    expect(granted).toEqual([90, 90, 90, 90, 21]);
    pass(25 * MINUTE);
    expect(open(db, clock).usage().others).toBe(0);
  });

  it("concludes from refusals of two endpoints within a minute that the hour's limit is used up, however short the wait", () => {
    const { clock } = machine();
    const db = database();
    spend(open(db, clock), 'events', 40);
    spend(open(db, clock), 'chat', 60);
    open(db, clock).pause('events', 1000);
    open(db, clock).pause('events', 1000);
    expect(open(db, clock).usage().others).toBe(0);
    expect(open(db, clock).tryStart('sync')).toHaveProperty('token');
    open(db, clock).pause('chat', 1000);
    expect(open(db, clock).usage()).toMatchObject({ hour: { used: 900 }, others: 799 });
    expect(open(db, clock).tryStart('sync')).toMatchObject({ limit: 'hour' });
  });

  it('never allows more than the limit in any rolling window of real time, whatever happens to clock and process', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('request' as const), takes: fc.integer({ min: 0, max: 9000 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('setClock' as const),
          by: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reboot' as const), late: fc.nat(2 * HOUR) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { clock, state, pass, reboot } = machine();
        const db = database();
        const [perHour, perMinute] = [12, 5];
        let slowest = state.wall - state.real;
        let isFirstAfterBoot = false;
        let ledger = openLedger(db, {
          clock,
          keyId: 'k',
          perHour,
          perEndpointPerMinute: perMinute,
          reserve: 0,
          deadlineMs: 10_000,
        });
        const sent: { from: number; to: number }[] = [];
        for (const action of steps) {
          if (action.kind === 'pass') pass(action.ms);
          if (action.kind === 'setClock') state.wall += isFirstAfterBoot ? Math.min(action.by, 0) : action.by;
          slowest = Math.min(slowest, state.wall - state.real);
          if (action.kind === 'reboot') {
            // Nothing but the clock spans a reboot: if it gains before the ledger looks, no one can notice.
            reboot();
            isFirstAfterBoot = true;
            state.wall = state.real + slowest - action.late;
          }
          if (action.kind === 'kill')
            ledger = openLedger(db, {
              clock,
              keyId: 'k',
              perHour,
              perEndpointPerMinute: perMinute,
              reserve: 0,
              deadlineMs: 10_000,
            });
          if (action.kind === 'request') {
            const grant = ledger.tryStart('events');
            isFirstAfterBoot = false;
            if (!('token' in grant)) continue;
            const from = state.real;
            pass(action.takes);
            sent.push({ from, to: state.real });
            if (action.takes % 7 !== 0) ledger.finish(grant.token);
          }
        }
        // The server may have counted a request at any time between its start and its answer.
        for (const [most, window] of [
          [perMinute, MINUTE],
          [perHour, HOUR],
        ] as const) {
          for (const { from } of sent) {
            const inWindow = sent.filter((request) => request.to > from - window && request.from <= from);
            expect(inWindow.length).toBeLessThanOrEqual(most);
          }
        }
        // However the clock was set, no one waits longer than the longest window after the longest request.
        const grant = ledger.tryStart('events');
        if ('waitMs' in grant) {
          expect(grant.waitMs).toBeLessThanOrEqual(HOUR + 10_000);
          pass(grant.waitMs);
          expect(ledger.tryStart('events')).toHaveProperty('token');
        }
        db.close();
      }),
      { numRuns: 150 },
    );
  });

  it('forgets nothing in a reboot with a changed clock', () => {
    const { clock, state, pass, reboot } = machine();
    const db = database();
    const grant = open(db, clock, 1000, 1).tryStart('events');
    if ('token' in grant) open(db, clock).finish(grant.token);
    pass(1000);
    reboot();
    state.wall -= HOUR;
    expect(open(db, clock, 1000, 1).tryStart('events')).toMatchObject({ limit: 'minute' });
  });

  it('waits at most one window for requests that were sent while the clock was a year ahead', () => {
    const { clock, state, pass, reboot } = machine();
    const db = database();
    state.wall += 365 * 24 * HOUR;
    expect(open(db, clock, 1).tryStart('events')).toHaveProperty('token');
    state.wall -= 365 * 24 * HOUR;
    reboot();
    pass(1000);
    expect(open(db, clock, 1).tryStart('events')).toEqual({ waitMs: HOUR + 10_000, limit: 'hour' });
    pass(HOUR + 10_000);
    expect(open(db, clock, 1).tryStart('events')).toHaveProperty('token');
  });

  it('treats an uptime that restarted, as in a container, as another boot', () => {
    const { clock, state, pass } = machine();
    const db = database();
    expect(open(db, clock, 1).tryStart('events')).toHaveProperty('token');
    state.bootedAt = state.real;
    pass(HOUR + 10_000);
    expect(open(db, clock, 1).tryStart('events')).toHaveProperty('token');
  });

  it('keeps the rest of a pause after a reboot', () => {
    const { clock, pass, reboot } = machine();
    const db = database();
    open(db, clock).pause('events', 2 * HOUR);
    pass(HOUR);
    reboot();
    expect(open(db, clock).tryStart('chat')).toEqual({ waitMs: HOUR, limit: 'hour' });
    pass(HOUR);
    expect(open(db, clock).tryStart('chat')).toHaveProperty('token');
  });

  it('writes nothing to report its usage', () => {
    const { clock, reboot } = machine();
    const path = join(temporaryFolder(), 'usage.db');
    const db = new Database(path);
    migrate(db);
    open(db, clock).tryStart('events');
    reboot();
    const reader = new Database(path, { readonly: true });
    expect(open(reader, clock).usage()).toMatchObject({
      hour: { used: 1, allowed: 900 },
      minute: new Map([['events', { used: 1, allowed: 90 }]]),
    });
    reader.close();
    db.close();
  });

  it('is shared by all processes that use the file', () => {
    const { clock } = machine();
    const path = join(temporaryFolder(), 'shared.db');
    const [one, two] = [new Database(path), new Database(path)];
    migrate(one);
    const ledgers = [open(one, clock), open(two, clock)];
    const granted = Array.from({ length: 200 }, (_, i) => ledgers[i % 2]?.tryStart('events')).filter(
      (grant) => grant !== undefined && 'token' in grant,
    );
    expect(granted.length).toBe(90);
    one.close();
    two.close();
  });

  it('allows two processes that send as fast as they can no more than one', async () => {
    const path = join(temporaryFolder(), 'raced.db');
    const db = new Database(path);
    migrate(db);
    const spender = join(import.meta.dirname, 'spender.ts');
    const spend = () => promisify(execFile)(process.execPath, [spender, path]);
    const outputs = await Promise.all([spend(), spend()]);
    const spent = outputs.map(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
    expect(spent.flat().length).toBe(50);
    for (const endpoint of ['events', 'chat'])
      expect(spent.flat().filter((line) => line === endpoint).length).toBeLessThanOrEqual(30);
    expect(db.prepare('SELECT count(*) FROM _ledger').pluck().get()).toBe(50);
    db.close();
  });
});
