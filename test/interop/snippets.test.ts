import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HOUR, openLab } from '../support/lab.ts';

const README = readFileSync('README.md', 'utf8');

function snippet(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(README)?.[1];
  if (found === undefined) throw new Error(`the README has no ${language} example`);
  return found;
}

/** Whether a program runs here; what it lacks is printed, so that a skipped test says why. */
function has(command: string, ...args: string[]): boolean {
  const { status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) console.log(`skipped: ${command} ${args.join(' ')} does not run here`);
  return status === 0;
}

async function warehouse(): Promise<string> {
  const lab = await openLab();
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

  it('work in the sqlite3 shell', async (context) => {
    if (!has('sqlite3', '--version')) return context.skip();
    const [, query = ''] = /sqlite3 -readonly -box data\/demo\.db "(.*)"/.exec(README) ?? [];
    const ran = spawnSync('sqlite3', ['-readonly', '-box', await warehouse(), query], { encoding: 'utf8' });
    expect(ran.stdout).toContain(join('When it happened, counted from the start'));
    expect(ran.stdout.trim().split('\n').length).toBe(5);
  });
});
