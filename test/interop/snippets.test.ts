import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { HOUR, openLab } from '../support/lab.ts';

const README = readFileSync('README.md', 'utf8');

function snippet(language: string, place = 0): string {
  const found = [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))][place]?.[1];
  if (found === undefined) throw new Error(`the README has no ${language} example`);
  return found;
}

/** Whether a program runs here; what it lacks is printed, so that a skipped test says why. */
function has(command: string, ...args: string[]): boolean {
  const { status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) console.log(`skipped: ${command} ${args.join(' ')} does not run here`);
  return status === 0;
}

/** The demo's experiment that the examples name. */
const NAMED = 'exp_VWN5eHUim8zo';

async function warehouse(): Promise<string> {
  const lab = await openLab({ world: { seed: 2026 } });
  expect(lab.simulator.world.experimentIds[0]).toBe(NAMED);
  lab.now += HOUR;
  await lab.sync();
  return lab.warehouse.path;
}

describe('the README’s examples, on a warehouse that a writer keeps open', () => {
  it('work in Python', async (context) => {
    if (!has('python3', '--version')) return context.skip();
    const ran = spawnSync('python3', ['-c', snippet('python').replaceAll('data/demo.db', await warehouse())], {
      encoding: 'utf8',
    });
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/\('liked', \d+, [\d.]+\)/);
  });

  it('work in R', async (context) => {
    if (!has('Rscript', '-e', 'library(RSQLite)')) return context.skip();
    const script = snippet('r')
      .replaceAll('data/demo.db', await warehouse())
      .replace('dbGetQuery', 'print(dbGetQuery')
      .replace(/\)\s*$/, '))');
    const ran = spawnSync('Rscript', ['-e', script], { encoding: 'utf8' });
    expect(ran.stdout, ran.stderr).toMatch(/1 user_\w+ +\d+ [\d.]+/);
  });

  it.for([
    ['Python', 'python', 'python3', '-c'],
    ['R', 'r', 'Rscript', '-e'],
  ] as const)('refuse stale and incomplete data in %s, and let fresh ones pass', async (example, context) => {
    const [, language, command, flag] = example;
    if (!has(command, ...(language === 'r' ? ['-e', 'library(RSQLite)'] : ['--version']))) return context.skip();
    const path = await warehouse();
    const script = snippet(language, 1).replaceAll('data/demo.db', path);
    const run = () => spawnSync(command, [flag, script], { encoding: 'utf8' });
    const set = (sql: string) => {
      const db = new Database(path);
      db.exec(sql);
      db.close();
    };
    set("UPDATE _streams SET data_as_of = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')");
    const fresh = run();
    expect([fresh.status, fresh.stderr]).toEqual([0, '']);
    set("UPDATE _streams SET complete = 0, reason = 'the API warned' WHERE data = 'chat'");
    const incomplete = run();
    expect(incomplete.status).not.toBe(0);
    expect(incomplete.stderr).toContain('Not fit for analysis');
    expect(incomplete.stderr).toContain('the API warned');
    set(
      "UPDATE _streams SET complete = 1, reason = NULL, data_as_of = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-3 days') WHERE data = 'chat'",
    );
    expect(run().stderr).toContain('data as of');
    const unread = "complete = 0, reason = 'not read yet', data_as_of = NULL, last_status = NULL";
    set(`UPDATE _streams SET ${unread} WHERE data = 'chat'`);
    expect(run().stderr, 'a first read under way').toContain('not read yet');
    set("DELETE FROM _streams WHERE data = 'chat'");
    expect(run().stderr, 'no read at all').toContain('never read');
  });

  it('of MATLAB asks the same of _freshness', async () => {
    const [, query = ''] = /fetch\(db, "(WITH .*)"\)/.exec(snippet('matlab', 1)) ?? [];
    const db = new Database(await warehouse());
    const unfit = () => db.prepare(query).all().length;
    db.exec("UPDATE _streams SET data_as_of = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')");
    expect(unfit()).toBe(0);
    db.exec("DELETE FROM _streams WHERE data = 'chat'");
    expect(unfit()).toBe(1);
    db.close();
  });

  it('work in the sqlite3 shell', async (context) => {
    if (!has('sqlite3', '--version')) return context.skip();
    const [, query = ''] = /sqlite3 -readonly -box data\/demo\.db "(.*)"/.exec(README) ?? [];
    const ran = spawnSync('sqlite3', ['-readonly', '-box', await warehouse(), query], { encoding: 'utf8' });
    expect(ran.stdout).toContain(join('When it happened, counted from the start'));
    expect(ran.stdout.trim().split('\n').length).toBe(5);
  });
});
