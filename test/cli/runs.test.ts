import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';
import { temporaryFolder } from '../support/lab.ts';

describe('a sync that is killed', () => {
  it('has counted what it stored, and is recorded as interrupted by the next one', async () => {
    let child: ChildProcess | undefined;
    let pages = 0;
    const simulator = await startSimulator({
      world: { experiments: 1 },
      fault({ path }) {
        if (path.includes('/ratings/continuous/') && ++pages === 25) child?.kill('SIGKILL');
        return undefined;
      },
    });
    onTestFinished(() => simulator.close());
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'config.yaml'),
      `api: { baseUrl: "${simulator.url}", pageSize: 20 }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`,
    );
    const options = { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } };
    const sync = () => hsw(['sync', 'now'], { ...options, onStart: (started) => (child = started) });
    const query = (sql: string) => {
      const db = new Database(join(cwd, 'w.db'), { readonly: true });
      try {
        return db.prepare<[], Record<string, unknown>>(sql).all();
      } finally {
        db.close();
      }
    };
    const held =
      "SELECT s.inserted, (SELECT count(*) FROM ratings_continuous WHERE synced_run = s.run_id) AS held FROM _run_streams s WHERE data = 'ratings/continuous' ORDER BY run_id";

    expect((await sync()).status).toBe(null);
    expect(query('SELECT kind, ended_at, outcome FROM _runs')).toEqual([
      { kind: 'sync now', ended_at: null, outcome: null },
    ]);
    const [killed] = query(held);
    expect(killed?.['inserted']).toBeGreaterThan(0);
    expect(killed?.['held']).toBe(killed?.['inserted']);

    expect((await sync()).status).toBe(0);
    expect(query('SELECT outcome, ended_at IS NULL AS open FROM _runs')).toEqual([
      { outcome: 'interrupted', open: 1 },
      { outcome: 'complete', open: 0 },
    ]);
    const [before, after] = query(held);
    expect(before).toEqual(killed);
    expect(after?.['held']).toBe(after?.['inserted']);
  });
});

describe('a sync whose messages no one reads any more', () => {
  it.each([
    ['lines', ''],
    ['the log', 'log: { level: debug }\n'],
  ])('goes on and ends as it would have: %s', async (_, settings) => {
    const simulator = await startSimulator({ world: { experiments: 1 } });
    onTestFinished(() => simulator.close());
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'config.yaml'),
      `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n${settings}`,
    );
    const env = { HYPERSTUDY_API_KEY: simulator.key };
    const ran = await hsw(['sync', 'now', '--data', 'chat'], { cwd, env, onStart: ({ stderr }) => stderr?.destroy() });
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^✓ Up to date/);
  });
});
