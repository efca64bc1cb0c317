import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLedger, type Ledger } from '../../../src/budget/ledger.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { temporaryFolder } from '../../support/lab.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** A machine whose clock anybody may set, and which may be rebooted. */
function machine() {
  const state = { real: 0, wall: 1.8e12, bootedAt: 0, boot: 1 };
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
  it('gives as many tokens as the limit less the reserve, and the next one a window after an answer arrived', () => {
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

  it('counts a request whose process was killed until its deadline and one window have passed', () => {
    const { clock, pass } = machine();
    const db = database();
    expect(open(db, clock, 1000, 1).tryStart('events')).toHaveProperty('token');
    pass(10_000 + MINUTE - 1);
    expect(open(db, clock, 1000, 1).tryStart('events')).toEqual({ waitMs: 1, limit: 'minute' });
    pass(1);
    expect(open(db, clock, 1000, 1).tryStart('events')).toHaveProperty('token');
  });

  it('starts nothing while the API has asked to wait, also after a restart', () => {
    const { clock, pass } = machine();
    const db = database();
    open(db, clock).pause('events', 30_000);
    expect(open(db, clock).tryStart('events')).toEqual({ waitMs: 30_000, limit: 'paused' });
    expect(open(db, clock).tryStart('chat')).toHaveProperty('token');
    pass(30_000);
    expect(open(db, clock).tryStart('events')).toHaveProperty('token');
  });

  it('never lets more than the limit into any rolling window of true time, whatever happens to clock and process', () => {
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
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { clock, state, pass } = machine();
        const db = database();
        const [perHour, perMinute] = [12, 5];
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
          if (action.kind === 'setClock') state.wall += action.by;
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
        db.close();
      }),
      { numRuns: 150 },
    );
  });

  it('forgets nothing over a reboot with a clock that was set', () => {
    const { clock, state, pass } = machine();
    const db = database();
    const grant = open(db, clock, 1000, 1).tryStart('events');
    if ('token' in grant) open(db, clock).finish(grant.token);
    pass(1000);
    state.bootedAt = state.real;
    state.boot++;
    state.wall -= HOUR;
    expect(open(db, clock, 1000, 1).tryStart('events')).toMatchObject({ limit: 'minute' });
  });

  it('is one budget for all processes on the file', () => {
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
});
