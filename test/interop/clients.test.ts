import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { installReaders, lacksInR, READER_PYTHON } from '../support/readers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const noPython = installReaders();
const noR = lacksInR('RSQLite');
for (const missing of [noPython, noR]) if (missing !== undefined) console.log(`skipped: ${missing}`);

interface Language {
  readonly name: string;
  readonly missing: string | undefined;
  readonly run: readonly string[];
  readonly client: string;
  readonly begin: string;
}
const LANGUAGES: readonly Language[] = [
  {
    name: 'python',
    missing: noPython,
    run: [READER_PYTHON, '-c'],
    client: 'hyperstudy_warehouse.py',
    begin: 'from hyperstudy_warehouse import *\ndb = hsw_open("data/demo.db")\n',
  },
  {
    name: 'r',
    missing: noR,
    run: ['Rscript', '-e'],
    client: 'hyperstudy_warehouse.R',
    begin: 'source("hyperstudy_warehouse.R"); db <- hsw_open("data/demo.db");',
  },
];

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hsw-clients-'));
  mkdirSync(join(folder, 'data'));
  const made = await hsw(['demo', '--out', 'data/demo.db'], { cwd: folder });
  expect(made.status, made.stderr).toBe(0);
  for (const { name, client } of LANGUAGES) copyFileSync(join(ROOT, 'clients', name, client), join(folder, client));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run({ run: [command = '', ...args] }: Language, script: string) {
  const env = { ...process.env, MPLBACKEND: 'agg', LANG: 'C.UTF-8' };
  return spawnSync(command, [...args, script], { cwd: folder, encoding: 'utf8', env });
}

function change(sql: string): void {
  const db = new Database(join(folder, 'data', 'demo.db'));
  db.exec(sql);
  db.close();
}

describe.each(LANGUAGES)('the client in $name', (language) => {
  const of = (script: string) => run(language, language.begin + script);

  it.skipIf(language.missing !== undefined)('says how fresh the file is', () => {
    expect(of('').stderr).toMatch(/demo\.db: 72 streams, all complete, data as of 20\d\d-\d\d-\d\dT/);
  });

  it.skipIf(language.missing !== undefined)('names the experiments there are, and the tables', () => {
    expect(of('hsw_read(db, "people", experiment = "x")').stderr).toMatch(
      /no experiment '?x.*Gemeinsam schauen \(exp_/s,
    );
    expect(of('hsw_read(db, "x")').stderr).toMatch(/no table or view '?x/);
    expect(of('hsw_read(db, "chat", fresh = "soon")').stderr).toContain('write "2 days"');
  });

  it.skipIf(language.missing !== undefined)(
    'says what is wrong with a misspelled name, instead of giving no rows',
    () => {
      const slips = [
        'hsw_read(db, "_tables", experiment = "Gemeinsam schauen")',
        'hsw_read(db, "PEOPLE")',
        'hsw_ratings(db, condition = "conditon")',
        'hsw_ratings(db, kind = "odd")',
        'hsw_codebook(db, "nonesuch")',
      ];
      const script =
        language.name === 'r'
          ? slips.map((slip) => `try(cat(nrow(${slip})))`).join(';')
          : `for slip in ${JSON.stringify(slips)}:\n  try: print(len(eval(slip)))\n  except WarehouseError as error: print(error, file=sys.stderr)`;
      const { stdout, stderr } = of(language.name === 'r' ? script : `import sys\n${script}`);
      expect([stdout, stderr.replaceAll(/['"]/g, '')]).toEqual([
        '',
        expect.stringMatching(
          /same for all experiments.*no table or view PEOPLE.*no variable conditon\. There are: choice, condition, points\..*odd is neither continuous nor sparse.*no table or view nonesuch/s,
        ),
      ]);
    },
  );

  it.skipIf(language.missing !== undefined)('refuses what is older than asked, of the data types it comes from', () => {
    expect(of('x = hsw_read(db, "answers", fresh = "1 day")').status).toBe(0);
    change("UPDATE _streams SET data_as_of = '2026-01-01T00:00:00.000Z', finished = 0 WHERE data = 'events'");
    const old = of('x = hsw_read(db, "answers", fresh = "1 day")');
    expect(old.status).not.toBe(0);
    expect(old.stderr).toMatch(/answers is older than 1 day: events of exp_\w+: as of 2026-01-01T00:00:00.000Z;/);
    expect(of('x = hsw_read(db, "answers")').status).toBe(0);
    expect(of('x = hsw_read(db, "chat", fresh = "1 day")').status).toBe(0);
    change("UPDATE _streams SET data_as_of = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE data = 'events'");
  });

  it.skipIf(language.missing !== undefined)(
    'refuses what is incomplete, and warns where it is read nonetheless',
    () => {
      const no = language.name === 'r' ? 'FALSE' : 'False';
      change("UPDATE _streams SET complete = 0, reason = 'two rows are missing' WHERE data = 'ratings/sparse'");
      const refused = of('x = hsw_read(db, "questionnaire")');
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toMatch(/questionnaire is incomplete: ratings\/sparse of exp_\w+: two rows are missing/);
      const read = of(`x = hsw_read(db, "questionnaire", complete = ${no})`);
      expect([read.status, read.stderr]).toEqual([0, expect.stringContaining('two rows are missing')]);
      expect(of('x = hsw_read(db, "chat")').status).toBe(0);
      change("UPDATE _streams SET complete = 1, reason = NULL WHERE data = 'ratings/sparse'");
    },
  );

  it.skipIf(language.missing !== undefined)('checks a wide table that is not listed yet, too', () => {
    change("DELETE FROM _tables WHERE name = 'wide_gemeinsam_schauen'");
    change("UPDATE _streams SET complete = 0, reason = 'a row is missing' WHERE data = 'variables'");
    expect(of('x = hsw_read(db, "wide_gemeinsam_schauen")').stderr).toContain('a row is missing');
    change("UPDATE _streams SET complete = 1, reason = NULL WHERE data = 'variables'");
    const read = of('x = hsw_read(db, "wide_gemeinsam_schauen")');
    expect(read.status, read.stderr).toBe(0);
  });

  it.skipIf(language.missing !== undefined)('adds the condition and the medium to each rating, and no row', () => {
    const asked =
      language.name === 'r'
        ? `r <- hsw_ratings(db, condition = "condition", medium = TRUE); cat(nrow(r), sum(is.na(r$condition)), sort(unique(r$condition)), unique(r$medium), class(r$stage_number), class(r$timestamp)[1])`
        : `r = hsw_ratings(db, condition="condition", medium=True); print(len(r), r.condition.isna().sum(), *sorted(set(r.condition.dropna())), *set(r.medium), r.stage_number.dtype, r.timestamp.dtype)`;
    const ratedWhere =
      language.name === 'r'
        ? `s <- hsw_ratings(db, kind = "sparse", medium = TRUE); cat("\\n"); cat(sum(is.na(s$state_name)), unique(na.omit(s$state_name)))`
        : `s = hsw_ratings(db, kind="sparse", medium=True); print(s.state_name.isna().sum(), *s.state_name.dropna().unique())`;
    const db = new Database(join(folder, 'data', 'demo.db'), { readonly: true });
    const count = String(db.prepare('SELECT count(*) FROM ratings_continuous').pluck().get());
    db.close();
    // Someone's own condition was deleted: the room's holds for them.
    change(`INSERT INTO variable_values (experiment_id, room_id, participant_id, owner, variable, write_number, is_last, key)
      SELECT experiment_id, room_id, participant_id, 'participant', 'condition', 1, 1, 'deleted' FROM ratings_continuous LIMIT 1`);
    const types = language.name === 'r' ? 'integer POSIXct' : 'Int64 datetime64[ms, UTC]';
    const { stdout } = of(`${asked};${ratedWhere}`);
    change("DELETE FROM variable_values WHERE key = 'deleted'");
    expect(stdout.trim().split('\n')).toEqual([
      `${count} 0 alone together video_story ${types}`,
      // The demo's single ratings name their state, and some come before any event shows it.
      '144 Questions',
    ]);
  });
});

describe.each(LANGUAGES)('the examples in $name', (language) => {
  const names = readdirSync(join(ROOT, 'examples', language.name));

  it('are eight, of at most twelve lines', () => {
    expect(names.length).toBe(8);
    for (const name of names) {
      const lines = readFileSync(join(ROOT, 'examples', language.name, name), 'utf8')
        .trimEnd()
        .split('\n');
      expect(lines.length, name).toBeLessThanOrEqual(12);
    }
  });

  it.skipIf(language.missing !== undefined).each(names)('%s draws its picture of the demo', (name) => {
    const picture = name.replace(/\.\w+$/, '.png');
    rmSync(join(folder, picture), { force: true });
    const ran = run(language, readFileSync(join(ROOT, 'examples', language.name, name), 'utf8'));
    expect(ran.status, ran.stderr).toBe(0);
    expect(readFileSync(join(folder, picture)).subarray(1, 4).toString()).toBe('PNG');
  });
});
