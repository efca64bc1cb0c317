import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { readManifest } from '../../src/export/snapshot/manifest.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';

/** A warehouse in which ids, a name and an address are wherever they may be, made once. */
let cwd = '';
let person = '';
let db: Database.Database;
const NAME = 'Ana Kowalska';
const EMAIL = 'ana.kowalska@example.org';

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  const simulator = await startSimulator({ world: { experiments: 1, roomsPerExperiment: 2 } });
  const { world } = simulator;
  const [experiment = ''] = world.experimentIds;
  const now = Date.now();
  const first = (data: string) => world.records(data, experiment, now)[0] ?? {};
  const { senderId } = first('chat') as { senderId?: string };
  person = senderId ?? '';
  const insert = (data: string, change: object) => world.insert(data, experiment, { ...first(data), ...change }, now);
  insert('chat', { messageId: 'm1', senderName: NAME, content: `I am ${NAME} (${person})` });
  insert('variables', { variable: `trust_in_${person}`, value: 3 });
  insert('components', {
    componentId: 'c1',
    config: { partner: person, [person]: 1, link: encodeURIComponent(EMAIL) },
  });
  insert('events', { id: 'e1', data: { about: person }, surprise: { of: person } });
  insert('participants', { id: 'other', participantId: 'other', email: EMAIL });
  const yaml = `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`;
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  await hsw(['sync', 'now'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  await simulator.close();
  db = new Database(join(cwd, 'w.db'), { readonly: true });
  return () => {
    db.close();
    rmSync(cwd, { recursive: true, force: true });
  };
});

const make = (name: string, ...flags: readonly string[]) =>
  hsw(['snapshot', name, '--deidentify', '--allow-incomplete', ...flags], { cwd });
const texts = (sql: string) => db.prepare(sql).pluck().all().map(String);

/** What of these is in any file of a snapshot. */
function traces(name: string, secrets: readonly string[]): string[] {
  const folder = join(cwd, name);
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file)));
  return secrets.filter((secret) => files.some((file) => file.includes(secret)));
}

const people = () =>
  texts('SELECT participant_id FROM people UNION SELECT sender_id FROM chat WHERE length(sender_id) > 8');
const rooms = () => texts('SELECT id FROM rooms');
const records = () => [
  ...texts('SELECT id FROM events WHERE length(id) > 5'),
  ...texts('SELECT message_id FROM chat WHERE length(message_id) > 5'),
  ...texts('SELECT email FROM participants WHERE email IS NOT NULL'),
  ...texts('SELECT sender_name FROM chat WHERE length(sender_name) > 8'),
];
/** Those that no ordinary text has in it. */
const secrets = () =>
  [...people(), ...rooms(), ...records(), NAME, EMAIL, encodeURIComponent(EMAIL)].filter((text) => text.length > 5);

describe('hsw snapshot --deidentify', () => {
  it('has no id of a person, a room or a record, no name and no address in any byte of any file', async () => {
    expect(secrets().length).toBeGreaterThan(20);
    // They are there to be found: in texts, in JSON, in names and in what this version does not know.
    await hsw(['snapshot', 'open', '--format', 'csv', '--allow-incomplete'], { cwd });
    expect(traces('open', secrets())).toEqual(secrets());
    for (const format of ['csv', 'sqlite']) {
      const done = await make(format, '--format', format);
      expect([done.status, traces(format, secrets())]).toEqual([0, []]);
      for (const secret of [person, NAME, EMAIL]) expect(done.stdout).not.toContain(secret);
    }
    const key = readFileSync(join(cwd, 'snapshot.key'), 'utf8').trim();
    expect([traces('csv', [key]), statSync(join(cwd, 'snapshot.key')).mode & 0o777]).toEqual([[], 0o600]);
  });

  it('keeps what people wrote only on request, without the ids and names that are known', async () => {
    expect(traces('csv', ['I am '])).toEqual([]);
    await make('words', '--format', 'csv', '--with-free-text');
    expect(
      traces(
        'words',
        [...people(), ...rooms(), NAME, EMAIL].filter((text) => text.length > 5),
      ),
    ).toEqual([]);
    expect(readFileSync(join(cwd, 'words', 'chat.csv'), 'utf8')).toMatch(/I am ps_[\w-]{22} \(ps_[\w-]{22}\)/);
    const wrong = await hsw(['snapshot', 'words', '--with-free-text'], { cwd });
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('belong to --deidentify')]);
  });

  it('gives the same person the same pseudonym in every table and snapshot of a lab, and another with another key', async () => {
    await make('again');
    await make('elsewhere', '--key', 'other.key');
    const pseudonyms = (name: string, table: string) => {
      const copy = new Database(join(cwd, name, `${name}.sqlite`), { readonly: true });
      const all = copy
        .prepare(`SELECT DISTINCT participant_id FROM ${table} WHERE participant_id IS NOT NULL ORDER BY 1`)
        .pluck()
        .all();
      copy.close();
      return all.map(String);
    };
    const [one, again, elsewhere] = ['sqlite', 'again', 'elsewhere'].map((name) => pseudonyms(name, 'people'));
    expect(one?.length).toBe(
      texts('SELECT DISTINCT participant_id FROM people WHERE participant_id IS NOT NULL').length,
    );
    expect(again).toEqual(one);
    expect(one?.filter((id) => elsewhere?.includes(id))).toEqual([]);
    const events = pseudonyms('sqlite', 'events');
    expect(events.filter((id) => one?.includes(id)).length).toBeGreaterThan(0);
  });

  it('has times as seconds from the start of the experiment, and joins as before', () => {
    const copy = new Database(join(cwd, 'sqlite', 'sqlite.sqlite'), { readonly: true });
    const joined = copy.prepare('SELECT joined_at_onset_s FROM people ORDER BY 1').pluck().all().map(Number);
    const expected = db
      .prepare(
        'SELECT joined_unix - (SELECT min(clock_zero_unix) FROM people o WHERE o.room_id = p.room_id) FROM people p ORDER BY 1',
      )
      .pluck()
      .all()
      .map(Number);
    expect(joined.map((value) => value.toFixed(3))).toEqual(expected.map((value) => value.toFixed(3)));
    const dates = copy
      .prepare(
        "SELECT table_name || '.' || column_name FROM _data_dictionary WHERE unit = 'ISO 8601, UTC' AND table_name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .pluck()
      .all();
    expect(dates.filter((name) => !/^(experiments|deployments)\./.test(String(name)))).toEqual([]);
    const byPerson = 'SELECT count(*) FROM answers a JOIN people USING (experiment_id, room_id, participant_id)';
    expect(copy.prepare(byPerson).pluck().get()).toBe(db.prepare(byPerson).pluck().get());
    const byKey =
      "SELECT count(*) FROM answers a JOIN events e USING (experiment_id, key) WHERE a.table_name = 'events'";
    expect(copy.prepare(byKey).pluck().get()).toBe(db.prepare(byKey).pluck().get());
    copy.close();
  });

  it('says of each column what became of it, and explains those that are there and no others', async () => {
    const { hyperstudy, resources } = readManifest(join(cwd, 'sqlite'));
    const of = (table: string, column: string) =>
      hyperstudy.deidentified?.find((one) => one.table === table && one.column === column)?.treatment;
    expect([of('participants', 'email'), of('events', 'extra'), of('chat', 'content')]).toEqual([
      'dropped',
      'dropped',
      'dropped',
    ]);
    expect([of('events', 'participant_id'), of('people', 'joined_at'), of('events', 'onset')]).toEqual([
      'pseudonyms',
      'onsets',
      'kept',
    ]);
    expect(hyperstudy.withoutViews).toContain('session_timeline');
    // A variable, or a member of an object, that has the id of a person in its name.
    const named = hyperstudy.deidentified?.filter(({ column }) => column === '(named after a person or room)') ?? [];
    expect(new Set(named.map(({ table }) => (table.startsWith('wide_') ? 'wide' : table)))).toEqual(
      new Set(['wide', 'components']),
    );
    const [file] = resources;
    const columns =
      file !== undefined && 'tables' in file
        ? file.tables.flatMap(({ name, schema }) => schema.fields.map((field) => `${name}.${field.name}`))
        : [];
    expect(columns.filter((name) => name.includes('trust_in'))).toEqual([]);
    const copy = new Database(join(cwd, 'sqlite', 'sqlite.sqlite'), { readonly: true });
    const explained = copy
      .prepare("SELECT table_name || '.' || column_name FROM _data_dictionary")
      .pluck()
      .all()
      .map(String);
    copy.close();
    expect(explained.toSorted()).toEqual(columns.toSorted());
    const verified = await hsw(['snapshot', 'verify', 'sqlite'], { cwd });
    expect(verified.status).toBe(0);
  });
});
