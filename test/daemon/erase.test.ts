import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { isReady, lab, start, until } from '../support/daemon-lab.ts';

interface Said {
  readonly tables: readonly { table: string; erased: number; replaced: number }[];
  readonly isOverwritten: boolean;
  readonly receiptFile: string;
}

/** A warehouse that was read, and someone in it. */
async function withPerson() {
  const made = await lab({ world: { experiments: 1 } }, 'derive: { ratingsGrid: 250ms }\n');
  expect(await hsw(['sync', 'now'], { cwd: made.cwd })).toMatchObject({ status: 0 });
  const db = new Database(made.db, { readonly: true });
  const id = db.prepare<[], string>('SELECT participant_id FROM participants ORDER BY joined_at LIMIT 1').pluck().get();
  db.close();
  return { ...made, id: id ?? '' };
}

/** How often a text is in the warehouse's files. */
const traces = (path: string, text: string) =>
  ['', '-wal', '-shm']
    .filter((suffix) => existsSync(path + suffix))
    .reduce((sum, suffix) => sum + readFileSync(path + suffix, 'latin1').split(text).length - 1, 0);

/** How many rows of others the optional table of ratings has. */
function gridOfOthers(path: string, id: string): unknown {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM ratings_grid WHERE participant_id <> ?').pluck().get(id);
  } finally {
    db.close();
  }
}

const erase = (cwd: string, ...args: string[]) => hsw(['erase', ...args], { cwd });

describe('hsw erase', () => {
  it('shows what it would erase, asks, erases, and leaves a receipt that does not identify them', async () => {
    const { cwd, db, id } = await withPerson();
    const before = traces(db, id);
    const grid = gridOfOthers(db, id);
    const trial = await erase(cwd, '--participant', id, '--dry-run');
    expect(trial).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/To be erased:\n[^]*participants: 1 row/) as string,
    });
    expect(await erase(cwd, '--participant', id)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('has to be confirmed. Nothing was erased.') as string,
    });
    expect(traces(db, id)).toBe(before);

    const { status, stdout } = await erase(cwd, '--participant', id, '--yes', '--json');
    const said = JSON.parse(stdout) as Said;
    expect(status).toBe(0);
    expect(said.isOverwritten).toBe(true);
    expect(traces(db, id)).toBe(0);
    expect([gridOfOthers(db, id), grid]).toEqual([grid, expect.toSatisfy((rows) => rows > 0)]);
    const receipt = readFileSync(said.receiptFile, 'utf8');
    expect(JSON.parse(receipt)).toMatchObject({ tables: said.tables });
    expect(receipt).not.toContain(id);
    expect(statSync(said.receiptFile).mode & 0o077).toBe(0);

    expect(await hsw(['sync', 'now', '--full'], { cwd })).toMatchObject({ status: 0 });
    expect(await hsw(['verify', '--deep'], { cwd })).toMatchObject({ status: 0 });
    expect(traces(db, id)).toBe(0);
    expect(await erase(cwd, '--participant', id, '--yes')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Nothing in the warehouse names participant') as string,
    });
  });

  it('takes all that `hsw export --participant` has written before', async () => {
    const { cwd, db, id } = await withPerson();
    const out = await hsw(['export', '--participant', id], { cwd });
    expect(out.status).toBe(0);
    const lines = out.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { data: string; record: object });
    const file = new Database(db, { readonly: true });
    const count = (table: string) =>
      file.prepare(`SELECT count(*) FROM ${table} WHERE participant_id = ?`).pluck().get(id);
    for (const [data, table] of [
      ['events'],
      ['chat'],
      ['participants'],
      ['ratings/continuous', 'ratings_continuous'],
    ] as const)
      expect([data, lines.filter((line) => line.data === data).length]).toEqual([data, count(table ?? data)]);
    file.close();
    expect(await erase(cwd, '--participant', id, '--yes')).toMatchObject({ status: 0 });
    expect(await hsw(['export', '--participant', id], { cwd })).toMatchObject({ status: 2, stdout: '' });
    expect(await hsw(['export'], { cwd })).toMatchObject({ status: 2 });
  });

  it('names the backups that it cannot reach', async () => {
    const { cwd, db, id } = await withPerson();
    const backup = `${db}.before-0001_something`;
    const source = new Database(db, { readonly: true });
    await source.backup(backup);
    source.close();
    expect((await erase(cwd, '--participant', id, '--yes')).stdout).toContain(`delete them: ${backup}`);
  });

  it('erases nothing if it is asked for an empty or unknown id', async () => {
    const { cwd, db, id } = await withPerson();
    const before = traces(db, id);
    for (const args of [[''], ['nobody'], [id, '--room', 'nowhere']])
      expect(await erase(cwd, '--participant', ...args, '--yes')).toMatchObject({ status: 2 });
    expect(traces(db, id)).toBe(before);
  });

  it('is finished by whatever opens the warehouse next, if it is killed', async () => {
    const { cwd, db, id } = await withPerson();
    let isErased = false;
    for (let ms = 250; !isErased && ms < 8000; ms += 250) {
      await hsw(['erase', '--participant', id, '--yes'], {
        cwd,
        onStart: (child) => void delay(ms).then(() => child.kill('SIGKILL')),
      });
      expect(await hsw(['sync', 'now'], { cwd })).toMatchObject({ status: 0 });
      const file = new Database(db, { readonly: true });
      isErased = file.prepare('SELECT 1 FROM _erased_people').get() !== undefined;
      file.close();
      expect([isErased, traces(db, id) === 0]).toEqual([isErased, isErased]);
    }
    expect(isErased).toBe(true);
  });

  it('is done by the daemon while one runs, whose log does not identify them', async () => {
    const { cwd, db, id } = await withPerson();
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    const { status, stdout } = await erase(cwd, '--participant', id, '--yes', '--json');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Said).tables.length).toBeGreaterThan(3);
    await until('nothing is left', () => traces(db, id) === 0);
    expect(await hsw(['sync', 'now', '--full'], { cwd })).toMatchObject({ status: 0 });
    expect(traces(db, id)).toBe(0);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.log()).not.toContain(id);
    expect(
      readdirSync(cwd)
        .filter((file) => file.startsWith('erasure-'))
        .map((file) => join(cwd, file)),
    ).toHaveLength(1);
  });
});
