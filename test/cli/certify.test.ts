import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, parseJson } from '../../src/shared/json.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';

/** A warehouse with one experiment, made once. */
let cwd = '';
let experiment = '';

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  const simulator = await startSimulator({ world: { experiments: 1, roomsPerExperiment: 2 } });
  experiment = simulator.world.experimentIds[0] ?? '';
  const yaml = `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`;
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  const synced = await hsw(['sync', 'now'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  await simulator.close();
  expect(synced.status).toBe(0);
  return () => rmSync(cwd, { recursive: true, force: true });
});

const certify = (...flags: readonly string[]) => hsw(['certify', ...flags], { cwd });

/** What one file of the certificate says. */
interface Certified {
  readonly isComplete: boolean;
  readonly lacks: readonly string[];
  readonly data: readonly { readonly data: string; readonly rows: number; readonly sha256: string }[];
}
const certificate = (out = '.') =>
  JSON.parse(readFileSync(join(cwd, out, `certificate-${experiment}.json`), 'utf8')) as Certified;

/** A copy of the warehouse in which something was changed by hand. */
function changed(sql: string): string {
  const name = `changed-${createHash('sha256').update(sql).digest('hex').slice(0, 8)}.db`;
  const path = join(cwd, name);
  copyFileSync(join(cwd, 'w.db'), path);
  const db = new Database(path);
  db.exec(sql);
  db.close();
  return name;
}

describe('hsw certify', () => {
  it('writes a page and a file that give the counts of the tables, for their owner only', async () => {
    const { status, stdout, stderr } = await certify('--out', 'made');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^✓ .*: Complete: [\d,]+ records of \d+ data types, all accounted for\.\n/);
    const db = new Database(join(cwd, 'w.db'), { readonly: true });
    const held = db.prepare('SELECT data, sum(rows) AS rows FROM _streams GROUP BY data').all();
    db.close();
    const { data, isComplete } = certificate('made');
    expect(isComplete).toBe(true);
    expect(new Map(data.map((one) => [one.data, one.rows]))).toEqual(
      new Map(held.map((one) => Object.values(one as object) as [string, number])),
    );
    const page = join(cwd, 'made', `certificate-${experiment}.html`);
    expect(statSync(page).mode & 0o777).toBe(0o600);
    expect(readFileSync(page, 'utf8')).toContain('✓ Complete: ');
  });

  it('gives a digest that follows from an export', async () => {
    await certify('--out', 'digests');
    const { stdout } = await hsw(['export', '--data', 'events'], { cwd });
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const hashes = stdout
      .trimEnd()
      .split('\n')
      .map((line) => sha256(canonicalJson(parseJson(line))));
    const lines = hashes.sort().map((hash) => `${hash}\n`);
    const [events] = certificate('digests').data.filter(({ data }) => data === 'events');
    expect(events).toMatchObject({ rows: hashes.length, sha256: sha256(lines.join('')) });
  });

  it('says which data types differ from a certificate, and that the others are the same', async () => {
    await certify('--out', 'then');
    const file = `then/certificate-${experiment}.json`;
    const same = await certify('--check', file);
    expect([same.status, same.stdout]).toEqual([
      0,
      expect.stringContaining('The warehouse holds exactly the records of the certificate.') as string,
    ]);
    const copy = changed(`UPDATE chat SET content = 'edited' WHERE rowid = (SELECT min(rowid) FROM chat);
      DELETE FROM rooms WHERE rowid = (SELECT min(rowid) FROM rooms)`);
    const { status, stdout } = await certify('--check', file, '--warehouse', copy);
    expect(status).toBe(1);
    const lines = stdout.split('\n').filter((line) => line.startsWith('✗'));
    expect(lines).toEqual([
      expect.stringMatching(/^✗ rooms: 1 record now, 2 certified/) as string,
      expect.stringMatching(/^✗ chat: still \d+ records, with other content/) as string,
    ]);
  });

  it('does not say complete where a stream is not, and says what may be missing', async () => {
    const doubts = JSON.stringify([
      { kind: 'lacking', text: 'the API counts 9 records, but only 7 could be read', count: 2 },
    ]);
    const copy = changed(
      `UPDATE _streams SET complete = 0, reason = 'the API counts 9 records, but only 7 could be read', doubts = '${doubts}' WHERE data = 'events'`,
    );
    const { status, stdout, stderr } = await certify('--warehouse', copy, '--out', 'lacking');
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✗ .*: Not complete: 1 of \d+ data types may lack records\.\n/);
    expect(stderr).toContain('only 7 could be read');
    expect(certificate('lacking')).toMatchObject({ isComplete: false });
    const page = readFileSync(join(cwd, 'lacking', `certificate-${experiment}.html`), 'utf8');
    expect(page).toContain('⚠ Not complete');
    expect(page).not.toContain('✓ Complete');
  });

  it('does not say complete where the key may not read some of the data', async () => {
    const doubts = JSON.stringify([{ kind: 'no-scope', text: 'the key lacks the scope read:eyetracking' }]);
    const copy = changed(
      `UPDATE _streams SET complete = 0, last_status = 'skipped', data_as_of = NULL, doubts = '${doubts}' WHERE data = 'eyetracking'`,
    );
    const { status, stdout, stderr } = await certify('--warehouse', copy, '--out', 'unreadable');
    expect([status, stderr]).toEqual([1, '! The key may not read: eyetracking.\n']);
    expect(stdout).toMatch(/^✗ .*: Not complete: 1 of \d+ data types may lack records\.\n/);
    const { data } = certificate('unreadable');
    expect(data.map((one) => one.data)).not.toContain('eyetracking');
  });

  it('takes an experiment by its name', async () => {
    const db = new Database(join(cwd, 'w.db'), { readonly: true });
    const name = String(db.prepare('SELECT name FROM experiments').pluck().get());
    db.close();
    expect((await certify('--experiment', name, '--out', 'named')).stdout).toContain(`certificate-${experiment}.json`);
  });

  it('explains what it cannot do', async () => {
    const other = await certify('--experiment', 'exp_other');
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining(`It has: ${experiment} (`) as string]);
    const none = await certify('--check', 'nowhere.json');
    expect([none.status, none.stderr]).toEqual([
      2,
      expect.stringContaining('There is no file nowhere.json.') as string,
    ]);
    const odd = await certify('--check', 'config.yaml');
    expect([odd.status, odd.stderr]).toEqual([2, expect.stringContaining('is not a certificate') as string]);
  });

  it('is opened by hsw open where no daemon shows a dashboard', async () => {
    const page = join(cwd, 'w.db.pages', `${experiment}.html`);
    const { href } = pathToFileURL(page);
    const opened = await hsw(['open'], { cwd });
    expect(opened).toEqual({
      status: 0,
      stderr: expect.stringContaining('No daemon is running') as string,
      stdout: expect.stringMatching(/^No browser can be opened here: there is no screen here\./) as string,
    });
    expect(opened.stdout.split('\n').at(-2)).toBe(href);
    expect(readFileSync(page, 'utf8')).toContain('✓ Complete: ');
    expect(statSync(page).mode & 0o777).toBe(0o600);
    const file = await hsw(['open', '--warehouse', 'w.db', '--json'], { cwd: cwd });
    expect(JSON.parse(file.stdout)).toEqual({ url: href, file: page, opened: false });
  });

  it('is opened from the folder of temporary files where none can be made beside the warehouse', async () => {
    writeFileSync(join(cwd, 'copy.db.pages'), 'in the way');
    copyFileSync(join(cwd, 'w.db'), join(cwd, 'copy.db'));
    const { stdout } = await hsw(['open', '--warehouse', 'copy.db', '--json'], { cwd, env: { TMPDIR: cwd } });
    const { file } = JSON.parse(stdout) as { file: string };
    expect(file).toMatch(/hsw-\w+\/exp_.*html$/);
    expect(readFileSync(file, 'utf8')).toContain('✓ Complete: ');
  });
});
