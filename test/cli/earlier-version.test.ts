import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { queryIndexesOf } from '../../src/datasets/define.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';
import { temporaryFolder } from '../support/lab.ts';

/** A folder with a warehouse that version 0.1.0 made, and a configuration for it. */
async function earlier() {
  const simulator = await startSimulator({ world: { experiments: 1 } });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'w.db'), gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
  copyFileSync(join(cwd, 'w.db'), join(cwd, 'copy.db'));
  writeFileSync(
    join(cwd, 'config.yaml'),
    `api: { baseUrl: "${simulator.url}" }\nhttp: false\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`,
  );
  return { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } };
}

describe('a warehouse of an earlier version', () => {
  it('is left alone by what only reads, which says how it is brought up to date', async () => {
    const at = await earlier();
    for (const command of [['status'], ['export', '--data', 'chat', '--format', 'csv']]) {
      const { status, stderr } = await hsw(command, at);
      expect(status, command.join(' ')).toBe(2);
      expect(stderr).toMatch(/was written by an earlier hyperstudy-warehouse\.\n.*hsw sync now/s);
    }
    expect(readFileSync(join(at.cwd, 'w.db'))).toEqual(readFileSync(join(at.cwd, 'copy.db')));
  });

  it('is brought up to date by a sync, with a backup beside it', async () => {
    const at = await earlier();
    await hsw(['sync', 'now'], at);
    const newest = readdirSync('migrations')
      .filter((name) => /^\d+_.*\.sql$/.test(name))
      .sort()
      .at(-1);
    expect(readdirSync(at.cwd)).toContain(`w.db.before-${newest?.replace('.sql', '') ?? ''}`);
    const { status, stdout } = await hsw(['status'], at);
    expect([0, 1]).toContain(status);
    expect(stdout).toMatch(/complete/i);
    expect(stdout).toContain('  variables.value: now value_type, value_number, value_text, value_json\n');
    expect(stdout).toContain('  events_all.response_value: now response_value_type, response_value_number,');
    const db = new Database(join(at.cwd, 'w.db'), { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    const indexes = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'index'").pluck().all();
    expect(indexes).toEqual(expect.arrayContaining(DATASETS.flatMap(queryIndexesOf).map(({ name }) => name)));
  });
});
