import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { findChromium, launch } from '../daemon/browser.ts';
import { hsw } from '../support/command.ts';

/** A warehouse with an experiment like those of the demo, made once. */
let cwd = '';
let experiment = '';
let db: Database.Database;
const value = (sql: string) => db.prepare(sql).pluck().get(experiment);

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  const simulator = await startSimulator({ world: { experiments: 1, roomsPerExperiment: 3 } });
  experiment = simulator.world.experimentIds[0] ?? '';
  const yaml = `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`;
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  const synced = await hsw(['sync', 'now'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  await simulator.close();
  expect(synced.status).toBe(0);
  db = new Database(join(cwd, 'w.db'), { readonly: true });
  return () => {
    db.close();
    rmSync(cwd, { recursive: true, force: true });
  };
});

const codebook = (...flags: readonly string[]) => hsw(['codebook', ...flags], { cwd });

/** The cells of a CSV text, whose cells hold no line breaks. */
const cells = (line: string) =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) =>
    cell.replace(/^"|"$/g, '').replaceAll('""', '"'),
  );

const executable = findChromium();
if (executable === undefined) console.log('skipped: a codebook in a browser (no Chromium on this computer)');

describe('hsw codebook', () => {
  it('gives a pipe the same bytes as a file', async () => {
    for (const format of ['md', 'html', 'csv']) {
      const out = `same.${format}`;
      await codebook('--experiment', experiment, '--out', out);
      const { stdout } = await codebook('--experiment', experiment, '--format', format);
      const withoutTime = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+/g, '');
      expect(withoutTime(stdout)).toBe(withoutTime(readFileSync(join(cwd, out), 'utf8')));
    }
  });

  it('gives the numbers that sqlite gives, in every form', async () => {
    const [md, html, csv] = await Promise.all(
      ['md', 'html', 'csv'].map(async (format) => {
        const out = `book.${format}`;
        const done = await codebook('--experiment', experiment, '--out', out);
        expect(done).toEqual({ status: 0, stdout: '', stderr: '' });
        expect(statSync(join(cwd, out)).mode & 0o777).toBe(0o600);
        return readFileSync(join(cwd, out), 'utf8');
      }),
    );
    const [head = '', ...lines] = (csv ?? '').trimEnd().split('\r\n');
    const names = cells(head);
    const rows = lines.map((line) => Object.fromEntries(cells(line).map((cell, i) => [names[i] ?? '', cell])));
    const columns = rows.filter(({ part }) => part === 'column');
    expect(columns.length).toBeGreaterThan(300);
    for (const { table_name = '', name = '', n, missing, distinct, minimum, maximum } of columns) {
      const counted = db
        .prepare(
          `SELECT count("${name}") AS n, count(*) - count("${name}") AS missing, count(DISTINCT "${name}") AS "distinct",
             min("${name}") AS minimum, max("${name}") AS maximum FROM "${table_name}" WHERE experiment_id = ?`,
        )
        .get(experiment) as Record<string, unknown>;
      const said = `${table_name}.${name}`;
      expect([said, n, missing]).toEqual([said, String(counted['n']), String(counted['missing'])]);
      if (distinct !== '') expect([said, distinct]).toEqual([said, String(counted['distinct'])]);
      if (minimum !== '')
        expect([said, minimum, maximum]).toEqual([said, String(counted['minimum']), String(counted['maximum'])]);
    }
    const answers = value(`SELECT count(*) FROM answers WHERE experiment_id = ?`);
    const said = `${String(answers)} rows, complete, as of`;
    expect(md).toContain(said);
    expect(html).toContain(said);
    const mean = value(`SELECT avg(value_number) FROM answers WHERE question_id = 'q_1' AND experiment_id = ?`);
    expect(md).toContain(`mean ${Number(Number(mean).toPrecision(6))} |`);
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toContain('<script');
  });

  it.skipIf(executable === undefined)('is a page that needs nothing else, and fits 400 pixels and paper', async () => {
    await codebook('--out', 'page.html');
    const browser = await launch(executable ?? '');
    const page = await browser.newPage({ viewport: { width: 400, height: 800 } });
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('request', (request) => request.url().startsWith('file:') || problems.push(request.url()));
    await page.goto(`file://${join(cwd, 'page.html')}`);
    const width = () => page.evaluate('document.documentElement.scrollWidth');
    expect(await width()).toBe(400);
    // A4 less its margins.
    await page.setViewportSize({ width: 688, height: 900 });
    await page.emulateMedia({ media: 'print' });
    expect(await width()).toBe(688);
    const broken = await page.evaluate(
      "[...document.querySelectorAll('a')].filter((link) => document.getElementById(link.hash.slice(1)) === null).length",
    );
    expect(broken).toBe(0);
    await browser.close();
    expect(problems).toEqual([]);
  });

  it('shows no value that says anything of a person', async () => {
    const { stdout } = await codebook('--json');
    const personal = db
      .prepare(
        `SELECT participant_id FROM people UNION SELECT email FROM participants UNION SELECT room_id FROM people
         UNION SELECT sender_name FROM chat UNION SELECT content FROM chat WHERE length(content) > 3
         UNION SELECT participant_name FROM recordings UNION SELECT url FROM recordings
         UNION SELECT value_text FROM answers WHERE question_id = 'q_2' AND length(value_text) > 3`,
      )
      .pluck()
      .all()
      .filter((text) => text !== null)
      .map((text) => JSON.stringify(text).slice(1, -1));
    expect(personal.length).toBeGreaterThan(20);
    expect(personal.filter((text) => stdout.includes(text))).toEqual([]);
  });

  it('writes what Datasette shows of every table and column, and hides what is internal', async () => {
    const { stdout } = await codebook('--format', 'datasette');
    const { databases } = JSON.parse(stdout) as {
      databases: { w: { tables: Record<string, { hidden?: boolean; columns?: Record<string, string> }> } };
    };
    const tables = Object.entries(databases.w.tables);
    const all = db.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").pluck().all();
    expect(tables.map(([name]) => name).sort()).toEqual(all.sort());
    const hidden = tables.filter(([, table]) => table.hidden === true).map(([name]) => name);
    expect(hidden).toEqual(expect.arrayContaining(['_streams', '_ledger', '_quarantine']));
    expect(hidden.filter((name) => !/^(_|sqlite_)/.test(name))).toEqual([]);
    expect(databases.w.tables['answers']?.columns?.['onset']).toMatch(/Unit: ms\. Missing: /);
  });

  it('does not need the configuration, and works on a copy without a log', async () => {
    db.prepare('VACUUM INTO ?').run(join(cwd, 'copy.db'));
    const done = await hsw(['codebook', '--warehouse', 'copy.db', '--experiment', experiment], { cwd });
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toMatch(/^# Codebook\n/);
    expect(done.stdout).toContain(experiment);
  });

  it('says what is wrong with an experiment or a format, and what to do', async () => {
    const said = async (...flags: readonly string[]) => {
      const { status, stdout, stderr } = await codebook(...flags);
      return { status, stdout, stderr: stderr.trimEnd() };
    };
    const refused = (stderr: string) => ({ status: 2, stdout: '', stderr: expect.stringContaining(stderr) as string });
    const name = String(value('SELECT name FROM experiments WHERE experiment_id = ?'));
    expect(await said('--experiment', 'exp_x')).toEqual(
      refused(`no experiment exp_x.\n  It has: ${experiment} (${name}).`),
    );
    expect(await said('--format', 'pdf')).toEqual(refused('There is no format pdf.'));
    expect(await said('--out', 'no/such/book.md')).toEqual(refused('no/such/book.md could not be written'));
    const empty = new Database(join(cwd, 'copy.db'));
    empty.exec('DELETE FROM _streams');
    empty.close();
    expect(await said('--warehouse', 'copy.db')).toEqual(refused('The warehouse has no experiment yet'));
  });
});
