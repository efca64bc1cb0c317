import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/shared/clock.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { hsw } from '../support/command.ts';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  openWarehouse(join(cwd, 'w.db'), { clock: systemClock, history: true }).close();
  return () => rmSync(cwd, { recursive: true, force: true });
});

const query = (...args: readonly string[]) => hsw(['query', '--warehouse', 'w.db', ...args], { cwd });
const MIXED = `SELECT 1 AS a, 2.0 AS a, 9007199254740993 AS big, NULL AS n, 'x,"y' AS t, x'00ff' AS b`;

describe('hsw query', () => {
  it('keeps every digit and the type of each value', async () => {
    const json = await query(MIXED, '--format', 'json');
    expect(json.stdout).toBe(
      '[\n{"a": 1, "a:1": 2.0, "big": 9007199254740993, "n": null, "t": "x,\\"y", "b": "00ff"}\n]\n',
    );
    const csv = await query(MIXED, '--format', 'csv');
    expect(csv.stdout).toBe('a,a:1,big,n,t,b\r\n1,2.0,9007199254740993,,"x,""y",00ff\r\n');
    expect(await query('SELECT 1 WHERE 0', '--format', 'json')).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
  });

  it('shows a table with numbers at the right, and its first thousand rows', async () => {
    const { stdout } = await query("SELECT 'ü' AS word, 10 AS n UNION ALL SELECT 'longer', 7");
    expect(stdout).toBe(' word       n \n ü         10 \n longer     7 \n');
    const count = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000) SELECT x FROM c';
    const long = await query(count);
    expect([long.status, long.stdout.split('\n').length]).toEqual([0, 1003]);
    expect(long.stdout).toContain('The first 1,000 rows; all are in --format csv or json.');
    const { stdout: all } = await query(count, '--format', 'csv');
    expect(all.split('\r\n').length).toBe(2002);
  });

  it.each([
    ['DELETE FROM events', 'only reads'],
    ["ATTACH 'other.db' AS other", 'only reads'],
    ["INSERT INTO events (key) VALUES ('x') RETURNING key", 'only reads'],
    ['SELECT nope FROM events', 'no such column: nope'],
    ['SELECT 1; SELECT 2', 'more than one statement'],
    ['', 'no statements'],
  ])('refuses %j in words', async (sql, words) => {
    const { status, stdout, stderr } = await query(sql);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('Internal error');
    expect(readdirSync(cwd)).not.toContain('other.db');
  });

  it.runIf(process.platform === 'linux')('ends at once when it is interrupted', async () => {
    const endless = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
    const ended = await hsw(['query', '--warehouse', 'w.db', endless], {
      cwd,
      onStart: (child) => void interruptOnceItReads(child),
    });
    expect(ended).toEqual({ status: null, stdout: '', stderr: '' });
  });
});

/** Until then a signal comes while the program is loaded, which says that it was interrupted. */
async function interruptOnceItReads(child: ChildProcess): Promise<void> {
  const files = `/proc/${child.pid ?? 0}/fd`;
  const isOpen = () => readdirSync(files).some((file) => linkOf(join(files, file)).endsWith('/w.db'));
  await vi.waitUntil(isOpen, { timeout: 60_000, interval: 50 });
  await delay(500);
  child.kill('SIGINT');
}

/** Where a link leads; a file may be closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
