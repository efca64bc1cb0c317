import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { TOO_LARGE_BYTES, walBytes } from '../../src/warehouse/wal.ts';
import { hsw } from '../support/command.ts';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';

const SAID = 'Close old R, Python or MATLAB sessions that have the file open.';

describe('hsw sync now, while a program keeps a read transaction open and the write-ahead log grows', () => {
  it('says once what to do, and reads on; when the program has gone, it says nothing and empties the log', async () => {
    let now = START + 2 * HOUR;
    const simulator = await startSimulator({ now: () => now, meterNow: Date.now });
    onTestFinished(() => simulator.close());
    const cwd = temporaryFolder();
    const path = join(cwd, 'w.db');
    writeFileSync(join(cwd, 'config.yaml'), 'experiments: [{ all: true }]\nwarehouse: { path: ./w.db }\n');
    const at = { cwd, env: { HYPERSTUDY_API_KEY: simulator.key, HYPERSTUDY_BASE_URL: simulator.url } };
    const sync = async (...more: string[]) => {
      const { status, stderr } = await hsw(['sync', 'now', '--data', 'rooms', '--data', 'events', ...more], at);
      expect(status, stderr).toBe(0);
      return stderr.split(SAID).length - 1;
    };
    expect(await sync()).toBe(0);

    const reader = new Database(path, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.exec('BEGIN');
    const seen = reader.prepare('SELECT count(*) FROM events').pluck().get();
    growLog(path);
    expect(walBytes(path)).toBeGreaterThan(TOO_LARGE_BYTES);
    now += HOUR;
    expect(await sync()).toBe(1);
    expect(await sync('--full', '--json')).toBe(1);
    const fresh = new Database(path, { readonly: true });
    expect(fresh.prepare('SELECT count(*) FROM events').pluck().get()).toBeGreaterThan(Number(seen));
    fresh.close();

    reader.close();
    expect(await sync()).toBe(0);
    expect(walBytes(path)).toBe(0);
  });
});

/** Writes as much as a first read of some hundred thousand rows does. */
function growLog(path: string): void {
  const db = new Database(path);
  db.exec('CREATE TABLE filler (part INTEGER PRIMARY KEY, content BLOB) STRICT');
  const fill = db.prepare(
    'INSERT INTO filler VALUES (1, randomblob(?)) ON CONFLICT DO UPDATE SET content = excluded.content',
  );
  for (let written = 0; written <= TOO_LARGE_BYTES; written += 16 * 1024 ** 2) fill.run(16 * 1024 ** 2);
  db.close();
}
