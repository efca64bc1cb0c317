import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { goals } from '../../bench/report.ts';
import type { Results } from '../../bench/results.ts';

const ROWS = 2000;

/** A small bench of our command and the floor, and its report. */
function bench(): { results: Results; report: string } {
  const out = mkdtempSync(join(tmpdir(), 'hsw-'));
  const args = [
    'bench/run.ts',
    '--rows',
    String(ROWS),
    '--runs',
    '1',
    '--only',
    'hsw,floor',
    '--seconds',
    '2',
    '--out',
    out,
  ];
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(readdirSync(out).sort()).toEqual(['first-read.json', 'first-read.md']);
  expect(readFileSync(join(out, 'first-read.md'), 'utf8')).toBe(stdout);
  const results = JSON.parse(readFileSync(join(out, 'first-read.json'), 'utf8')) as Results;
  rmSync(out, { recursive: true });
  return { results, report: stdout };
}

describe('the bench, with few rows', () => {
  const found: Partial<ReturnType<typeof bench>> = {};
  beforeAll(() => Object.assign(found, bench()));
  const contender = (name: string) => {
    const one = found.results?.contenders.find((each) => each.name.startsWith(name));
    if (one === undefined) throw new Error(`${name} was not measured`);
    return one;
  };

  it('measures what a first read and a poll cost', () => {
    for (const { name, read, poll } of [contender('hsw'), contender('floor')]) {
      for (const [measure, value] of Object.entries({ ...read, toDiskMb: 1 })) {
        expect(value, `${name}: ${measure}`).toBeGreaterThan(0);
      }
      expect(poll.requests, name).toBe(1);
    }
    // Two pages of 1000.
    expect(contender('floor').read.requests).toBe(2);
    expect(contender('hsw').read.requests).toBeLessThanOrEqual(4);
  });

  it('shows that hsw notices at its next poll what the floor notices only when it reads everything again', () => {
    const all = { rows: ROWS + 50 - 20, late: 50, edited: 50, deleted: 20 };
    expect(contender('floor').changes.poll.noticed).toEqual({ rows: ROWS, late: 0, edited: 0, deleted: 0 });
    expect(contender('floor').changes.full.noticed).toEqual(all);
    expect(contender('hsw').changes.poll.noticed).toMatchObject({ rows: all.rows, late: 50, deleted: 20 });
    expect(contender('hsw').changes.full.noticed).toEqual(all);
  });

  it('says what was skipped, and judges only goals that it measured', () => {
    expect(found.report).toContain('**Skipped**: SDK + pandas, sqlite-utils and dlt');
    expect(found.report).toMatch(/SDK \+ pandas = 1 +\| 1\.2 +\| – +\| not measured/);
    const judged = found.results === undefined ? [] : goals(found.results).filter((goal) => goal.found !== undefined);
    expect(judged).toHaveLength(7);
    for (const goal of judged) {
      const verdict = goal.found !== undefined && goal.found <= goal.most ? 'met' : '**not met**';
      const line = found.report?.split('\n').find((one) => one.includes(goal.what));
      expect(line, goal.what).toContain(`| ${verdict} |`);
    }
  });

  it('says of what code it is, and what each table and index takes of the file', () => {
    expect(found.results?.commit?.id).toMatch(/^[0-9a-f]{40}$/);
    const [all, ...parts] = found.results?.own?.bytesARating ?? [];
    expect(all?.name).toBe('all');
    expect(parts[0]?.name).toBe('ratings_continuous');
    expect(parts.map(({ name }) => name)).toContain('sqlite_autoindex_ratings_continuous_1');
  });

  it('measures the other commands and the event loop of hsw', () => {
    expect(found.results?.own?.commands.map(({ name }) => name)).toEqual(expect.arrayContaining(['`verify --deep`']));
    expect(found.results?.own?.eventLoop.maxMs).toBeGreaterThan(0);
    expect(found.results?.own?.daemon.page.medianMs).toBeGreaterThan(0);
  });
});
