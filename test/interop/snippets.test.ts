import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, type CodeBlock } from '../../scripts/markdown.ts';
import { loadConfig } from '../../src/config/load.ts';
import { DATA_TYPE_OPTIONS } from '../../src/datasets/registry.ts';
import { startSimulator, type Simulator } from '../../src/simulator/server.ts';
import { hsw, type Ran } from '../support/command.ts';
import { HOUR, openLab } from '../support/lab.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** Blocks that carry one of these words behind their language are not run here. */
const NOT_RUN = {
  install: 'it installs the checkout itself',
  daemon: 'it runs until it is stopped',
  root: 'it needs root and systemd (test/service/manager.test.ts runs those of docs/service.md)',
  container: 'it needs Docker',
  campaign: 'it takes hours',
  engine: 'it needs DuckDB, polars, Spark or a bucket (`npm run lake-test` reads with these)',
  person: 'it needs the id of a person (test/daemon/erase.test.ts runs these)',
} as const;
const isNotRun = (word: string): word is keyof typeof NOT_RUN => Object.hasOwn(NOT_RUN, word);

/** How a block is run; `text` and `matlab` are shown only, and what MATLAB asks in SQL is run. */
const PROGRAMS = {
  r: ['Rscript', '-e'],
  python: ['python3', '-c'],
  octave: ['octave-cli', '--eval'],
  sh: ['bash', '-euo', 'pipefail', '-c'],
} as const;
const isProgram = (language: string): language is keyof typeof PROGRAMS => Object.hasOwn(PROGRAMS, language);

interface Page {
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
}
const PAGES: readonly Page[] = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => `docs/${name}`)]
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, blocks: codeBlocks(readFileSync(path, 'utf8')) }))
  .filter(({ blocks }) => blocks.some(({ language }) => language !== 'text'));

/** The guards of querying.md, which stop an analysis. */
function guard(language: string): string {
  const found = PAGES.flatMap(({ blocks }) => blocks).find(
    (block) => block.language === language && block.words.includes('guard'),
  );
  if (found === undefined) throw new Error(`no page has a guard in ${language}`);
  return found.text;
}

/** Whether a program runs here; what it lacks is printed, so that a skipped test says why. */
function has(command: string, ...args: string[]): boolean {
  const { status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) console.log(`skipped: ${command} ${args.join(' ')} does not run here`);
  return status === 0;
}

/** What a block needs that may be missing on a machine. */
function canRun({ language, text }: CodeBlock): boolean {
  if (language === 'r') return has('Rscript', '-e', 'library(RSQLite)');
  if (language === 'python') return has('python3', '--version');
  if (language === 'octave') return has('octave-cli', '--version');
  return !text.includes('sqlite3 ') || has('sqlite3', '--version');
}

let demo: string;
let simulator: Simulator;
// The demo takes about ten seconds by itself, and far longer beside other tests.
beforeAll(async () => {
  demo = mkdtempSync(join(tmpdir(), 'hsw-demo-'));
  simulator = await startSimulator({ world: { seed: 1, experiments: 1 }, meterNow: Date.now });
  const ran = await hsw(['demo', '--out', 'demo.db'], { cwd: demo });
  expect(ran.status, ran.stderr).toBe(0);
}, 300_000);
afterAll(async () => {
  await simulator.close();
  rmSync(demo, { recursive: true, force: true });
});

/** A folder as a reader of the page has it: the demo's warehouse, which a writer keeps open, and a configuration. */
function openFolder({ blocks }: Page) {
  const folder = mkdtempSync(join(tmpdir(), 'hsw-page-'));
  mkdirSync(join(folder, 'data'));
  symlinkSync(join(import.meta.dirname, '..', '..', 'clients'), join(folder, 'clients'));
  copyFileSync(join(demo, 'demo.db'), join(folder, 'data', 'demo.db'));
  if (!blocks.some(({ text }) => text.includes('hsw init')))
    writeFileSync(join(folder, 'config.yaml'), 'warehouse: { path: data/demo.db }\nexperiments: [{ all: true }]\n');
  const writer = new Database(join(folder, 'data', 'demo.db'));
  writer.exec('BEGIN IMMEDIATE');
  return {
    folder,
    close() {
      writer.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `./hsw` is the built command, which asks nothing here; the key is the simulator's. */
function forHere(text: string): string {
  return text
    .replaceAll('./hsw', `'${process.execPath}' '${MAIN}'`)
    .replace(/ init(?= *(#.*)?$)/m, ' init --yes --all')
    .replace('hst_live_…', simulator.key);
}

function run(program: readonly [string, ...string[]], script: string, cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    const [command, ...args] = program;
    const child = spawn(command, [...args, script], {
      cwd,
      env: { ...process.env, HYPERSTUDY_BASE_URL: simulator.url, HYPERSTUDY_API_KEY: simulator.key },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs the SQL, read-only as a reader would. */
function query(sql: string, cwd: string): unknown[] {
  const db = new Database(join(cwd, 'data', 'demo.db'), { readonly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

describe.each(PAGES)('the examples of $path', (page) => {
  let opened: ReturnType<typeof openFolder>;
  beforeAll(() => {
    opened = openFolder(page);
  });
  afterAll(() => opened.close());

  for (const block of page.blocks) {
    const { language, words, line, text, output } = block;
    // The guards are run below, on data of every kind.
    if (language === 'text' || words.includes('guard')) continue;
    const name = `in ${language}, line ${line}`;
    const reason = words.find(isNotRun);
    if (reason !== undefined) {
      it.skip(`${name}: not run, as ${NOT_RUN[reason]}`);
    } else if (isProgram(language)) {
      it(`${name} does what the page says`, async (context) => {
        if (!canRun(block)) return context.skip();
        const ran = await run(PROGRAMS[language], language === 'sh' ? forHere(text) : text, opened.folder);
        expect(ran.status, ran.stdout + ran.stderr).toBe(0);
        if (output !== undefined) expect(ran.stdout.trimEnd()).toBe(output.trimEnd());
      });
    } else if (language === 'sql' || language === 'matlab') {
      const statements =
        language === 'sql' ? [text] : [...text.matchAll(/fetch\(\w+, '(.*)'\)/g)].map(([, sql = '']) => sql);
      it(`${name} is SQL that runs`, () => {
        expect(statements.length).toBeGreaterThan(0);
        for (const sql of statements) expect(query(sql, opened.folder)).toBeDefined();
      });
    } else {
      it(`${name} is a configuration`, () => {
        expect(language).toBe('yaml');
        const path = join(opened.folder, 'example.yaml');
        writeFileSync(path, text);
        loadConfig({ path, env: {}, dataTypes: DATA_TYPE_OPTIONS, needsKey: false, needsSecrets: false });
      });
    }
  }
});

/** The demo's experiment that the guards name. */
const NAMED = 'exp_r50LdwK9JYi4';

async function warehouse(): Promise<string> {
  const lab = await openLab({ world: { seed: 2026 } });
  expect(lab.simulator.world.experimentIds[0]).toBe(NAMED);
  lab.now += HOUR;
  await lab.sync();
  return lab.warehouse.path;
}

describe('the guards of querying.md, on a warehouse that a writer keeps open', () => {
  it.for([
    ['Python', 'python', 'python3', '-c', '--version'],
    ['R', 'r', 'Rscript', '-e', '-e', 'library(RSQLite)'],
  ] as const)(
    'refuse stale and incomplete data in %s, and let fresh ones pass',
    async ([, language, command, flag, ...probe], context) => {
      if (!has(command, ...probe)) return context.skip();
      const path = await warehouse();
      const script = guard(language).replaceAll('data/demo.db', path);
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
    },
  );

  it('of MATLAB asks the same of _freshness', async () => {
    const [, query = ''] = /fetch\(db, "(WITH .*)"\)/.exec(guard('matlab')) ?? [];
    const db = new Database(await warehouse());
    const unfit = () => db.prepare(query).all().length;
    db.exec("UPDATE _streams SET data_as_of = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')");
    expect(unfit()).toBe(0);
    db.exec("DELETE FROM _streams WHERE data = 'chat'");
    expect(unfit()).toBe(1);
    db.close();
  });
});
