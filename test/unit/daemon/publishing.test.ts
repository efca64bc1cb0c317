import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { defaultConfig, type Config } from '../../../src/config/schema.ts';
import { createNotices } from '../../../src/daemon/notices.ts';
import { createPublishing } from '../../../src/daemon/publishing.ts';
import { DATA_TYPE_OPTIONS } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLog } from '../../../src/shared/log.ts';

const LAKE = { to: '/lake', format: 'lake', lab: 'lab', after: 'sync', everyMs: 60_000, graceMs: 0 } as const;

function open(publish: Config['publish'] = LAKE) {
  const db = new Database(':memory:');
  db.exec(`CREATE TABLE _runs (inserted, updated, deleted); CREATE TABLE _erasures (id); CREATE TABLE _derive_pending (data);
    INSERT INTO _runs VALUES (5, 0, 0)`);
  const ran: string[] = [];
  let [up, status] = [0, 0];
  const notices = createNotices();
  const publishing = createPublishing({
    db,
    config: () => ({ ...defaultConfig(DATA_TYPE_OPTIONS), path: '/c.yaml', publish }),
    clock: { ...systemClock, uptime: () => up },
    log: silentLog,
    notices,
    signal: new AbortController().signal,
    run(args) {
      ran.push(args.join(' '));
      return Promise.resolve({ status, said: 'no room' });
    },
  });
  const look = async (after = 0) => {
    up += after;
    publishing.look();
    await publishing.settled();
    return ran.length;
  };
  return { db, ran, notices, look, fail: (with_: number) => (status = with_) };
}

describe('what the daemon publishes', () => {
  it('is published once, and again when a run or an erasure changed something, but not too often', async () => {
    const { db, ran, look } = open();
    expect([await look(), await look(), await look(60_000)]).toEqual([1, 1, 1]);
    expect(ran).toEqual(['publish --config /c.yaml --json']);
    db.exec('UPDATE _runs SET updated = 1');
    expect([await look(), await look(), await look(60_000)]).toEqual([2, 2, 2]);
    db.exec('INSERT INTO _erasures VALUES (1)');
    expect([await look(), await look(60_000)]).toEqual([3, 3]);
    db.exec('INSERT INTO _runs VALUES (0, 0, 0)');
    expect(await look(600_000)).toBe(3);
  });

  it('is tried again after a failure, which is said', async () => {
    const { notices, look, fail } = open();
    fail(4);
    expect([await look(), await look(59_999)]).toEqual([1, 1]);
    expect(notices.recent()[0]).toMatchObject({ code: 'PUBLISH_FAILED', text: 'Publishing to /lake failed: no room' });
    fail(0);
    expect([await look(1), await look(60_000)]).toEqual([2, 2]);
  });

  it('is a snapshot where the configuration says so, and nothing where it says nothing', async () => {
    const { ran, look } = open({ ...LAKE, to: '/out/current', format: 'csv' });
    await look();
    expect(ran).toEqual(['snapshot current --out /out --format csv --allow-incomplete --config /c.yaml --json']);
    expect(await open({ ...LAKE, after: 'never' }).look()).toBe(0);
    const unread = open();
    unread.db.exec('DELETE FROM _runs');
    expect(await unread.look()).toBe(0);
  });
});
