import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { openLedger } from '../../../src/budget/ledger.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { MINUTE_MS } from '../../../src/shared/time.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { temporaryFolder } from '../../support/lab.ts';

const UP = 100 * MINUTE_MS;
const CLOCK: Clock = { now: () => 1.8e12, uptime: () => UP, bootId: 'boot', sleep: () => Promise.resolve() };

it('the ledger keeps what version 0.1.0 recorded: requests, pauses and the requests of others', () => {
  const file = join(temporaryFolder(), 'w.db');
  writeFileSync(file, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
  const db = new Database(file);
  const insert = db.prepare(
    "INSERT INTO _ledger (key_id, endpoint, boot_id, started_up, started_at, ended_up) VALUES ('k', ?, 'boot', ?, 0, ?)",
  );
  const ago = UP - MINUTE_MS / 2;
  insert.run('chat', ago, ago);
  insert.run('events', ago, ago);
  insert.run('others:', ago, ago);
  insert.run('others:', ago, ago);
  insert.run('others:events', ago, ago);
  insert.run('pause:events', ago, UP + 2 * MINUTE_MS);
  const before = db.prepare('SELECT count(*) FROM _ledger').pluck().get();

  migrate(db);

  expect(db.prepare('SELECT count(*) FROM _ledger').pluck().get()).toBe(before);
  expect(db.prepare("SELECT kind, endpoint FROM _ledger WHERE key_id = 'k' ORDER BY id").raw().all()).toEqual([
    ['request', 'chat'],
    ['request', 'events'],
    ['others', null],
    ['others', null],
    ['others', 'events'],
    ['pause', 'events'],
  ]);
  const options = { keyId: 'k', perHour: 1000, perEndpointPerMinute: 100, reserve: 0, deadlineMs: 10_000 };
  const ledger = openLedger(db, { clock: CLOCK, ...options });
  expect(ledger.usage()).toMatchObject({ hour: { used: 4 }, others: 2 });
  expect(ledger.usage().minute).toEqual(
    new Map([
      ['chat', { used: 1, allowed: 100 }],
      ['events', { used: 2, allowed: 100 }],
    ]),
  );
  expect(ledger.tryStart('events')).toEqual({ waitMs: 2 * MINUTE_MS, limit: 'paused' });
  expect(ledger.tryStart('chat')).toHaveProperty('token');
  insert.run('chat', ago, ago);
  ledger.pause('chat', 10 * MINUTE_MS);
  expect(ledger.tryStart('rooms')).toEqual({ waitMs: 10 * MINUTE_MS, limit: 'hour' });
  db.close();
});
