import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DATASETS } from '../../src/datasets/registry.ts';
import { digestOf } from '../../src/export/certificate/digest.ts';
import type { Publication } from '../../src/export/lake/publish.ts';
import { postgresPlace } from '../../src/export/postgres/address.ts';
import { publishToPostgres } from '../../src/export/postgres/publish.ts';
import { openServer, type Server } from '../../src/export/postgres/server.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { openForReading } from '../../src/warehouse/open.ts';
import { HOUR, openLab, temporaryFolder, type Lab } from '../support/lab.ts';
import { hasPostgres, startPostgres, type PostgresServer } from '../support/postgres.ts';

const world = { experiments: 2, roomsPerExperiment: 1, participantsPerRoom: 2 };
const SMALL = { ...world, experiments: 1 };
const FEW = ['participants', 'rooms', 'chat', 'ratings/sparse'];

describe.skipIf(!hasPostgres)('publishing to PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
    // No one needs a password but this one.
    await postgres.ask(
      "CREATE ROLE locked LOGIN PASSWORD 'never:shown'; GRANT CREATE, TEMPORARY ON DATABASE postgres TO locked",
    );
  });
  afterAll(() => postgres.stop());

  let labs = 0;
  async function open(data: readonly string[] = FEW, of = SMALL) {
    const lab = await openLab({ world: of });
    await lab.sync({ selection: { data } });
    labs += 1;
    const schema = `lab_${labs}`;
    return { lab, schema, ask: (sql: string) => postgres.ask(`SET search_path = ${schema}; ${sql}`) };
  }

  /** Publishes over a connection of its own, as another process would. */
  async function publishTo(
    { lab, schema }: { readonly lab: Lab; readonly schema: string },
    change: Partial<Publication> & { url?: string; env?: NodeJS.ProcessEnv; wrap?: (server: Server) => Server } = {},
  ) {
    const { url = postgres.url(), env = {}, wrap = (one: Server) => one, ...rest } = change;
    const signal = rest.signal ?? new AbortController().signal;
    const server = await openServer(postgresPlace(url, env), signal);
    const db = openForReading(lab.warehouse.path);
    try {
      return await publishToPostgres(db, wrap(server), {
        lab: schema,
        graceMs: 0,
        all: false,
        about: () => ({ experiments: lab.simulator.world.experimentIds, isComplete: true, lacks: [], unreadable: [] }),
        now: () => Date.now(),
        signal,
        rows: () => undefined,
        ...rest,
      });
    } finally {
      db.close();
      await server.close();
    }
  }

  /** What is published: tables, experiments, rows and digests; and what the tables really have. */
  const content = (schema: string) =>
    postgres.ask(`SELECT table_name, experiment_id, rows, digest FROM ${schema}._partitions
      WHERE table_name NOT IN ('_freshness', '_about') ORDER BY 1, 2`);
  const counted = async (schema: string, table: string) =>
    Number(await postgres.ask(`SELECT count(*) FROM ${schema}.${table}`));

  function says(lab: Lab, fields: JsonObject) {
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const [message = {}] = lab.simulator.world.records('chat', experimentId, lab.now);
    lab.simulator.world.insert('chat', experimentId, { ...message, ...fields }, lab.now);
  }
  async function syncs(lab: Lab) {
    lab.now += HOUR;
    await lab.sync({ selection: { data: FEW } });
  }

  it('holds every row, with the types and words of the dictionary and the digests of the SQLite file', async () => {
    const { lab, schema, ask } = await open(
      DATASETS.map(({ name }) => name),
      world,
    );
    const report = await publishTo({ lab, schema });
    expect(report).toMatchObject({ isNew: true, unchanged: 0, leftOut: [], unswept: [] });
    for (const experiment of lab.simulator.world.experimentIds)
      for (const dataset of DATASETS) {
        const { rows, sha256 } = digestOf(lab.warehouse.db, dataset, experiment);
        const at = `table_name = '${dataset.table}' AND experiment_id = '${experiment}'`;
        expect(await ask(`SELECT rows, digest FROM _partitions WHERE ${at}`)).toBe(
          rows === 0 ? '' : `${rows}|${sha256}`,
        );
        expect(await ask(`SELECT count(*) FROM ${dataset.table} WHERE experiment_id = '${experiment}'`)).toBe(
          String(rows),
        );
      }
    const ends = 'count(value), min(value), max(value), min(timestamp_unix)';
    const [first = ''] = lab.warehouse.db
      .prepare<[], string>(`SELECT concat_ws('|', ${ends}) FROM ratings_continuous`)
      .pluck()
      .all();
    expect((await ask(`SELECT ${ends} FROM ratings_continuous`)).split('|').map(Number)).toEqual(
      first.split('|').map(Number),
    );
    const unix = 'EXTRACT(EPOCH FROM timestamp) = round(timestamp_unix::numeric, 3)';
    expect(await ask(`SELECT bool_and(${unix}) FROM ratings_continuous`)).toBe('t');
    expect(
      await ask(`SELECT string_agg(DISTINCT data_type, ',' ORDER BY data_type) FROM information_schema.columns
        WHERE table_schema = '${schema}' AND table_name IN ('people', 'answers', 'chat')`),
    ).toBe('bigint,boolean,double precision,text,timestamp with time zone');
    expect(await ask("SELECT col_description('chat'::regclass, 7)")).toContain('The text of the message.');
    expect(await ask("SELECT obj_description('people'::regclass)")).not.toBe('');
    expect(await ask('SELECT complete, lacks FROM _publication')).toBe('t|[]');
    expect(await counted(schema, '_data_dictionary')).toBeGreaterThan(500);
  });

  it('loses nothing of texts, JSON, numbers and times that PostgreSQL takes badly', async () => {
    const { lab, schema, ask } = await open();
    const content = 'tab\there, \\N and \\. alone\r\nline two \u{1F600} "quoted" \'too\' \u2028 \u0001';
    says(lab, { messageId: 'odd', content, mood: { nul: 'a\u0000b', half: '\ud800', big: 1e308, small: 5e-324 } });
    says(lab, { messageId: 'nul', content: 'a\u0000b' });
    says(lab, { messageId: 'half', content: 'x\udc00y' });
    says(lab, { messageId: 'long'.repeat(3000), content: 'with an id that no index takes' });
    await syncs(lab);
    const extra = `{"twice":1,"twice":2,"exact":1e400,"digits":0.10000000000000000000000001,"deep":${'['.repeat(9000)}${']'.repeat(9000)}}`;
    const db = lab.warehouse.db;
    db.prepare(
      "UPDATE chat SET extra = ?, onset = 5e-324, timestamp = '0000-02-29T00:00:00.007Z' WHERE message_id = 'odd'",
    ).run(extra);
    db.prepare(
      "UPDATE chat SET onset = 1.7976931348623157e308, timestamp = '9999-12-31T23:59:59.999Z' WHERE message_id IS NULL OR message_id = 'nul'",
    ).run();
    await publishTo({ lab, schema });
    expect(await ask(`SELECT extra = '${extra}' FROM chat WHERE message_id = 'odd'`)).toBe('t');
    expect(await ask(`SELECT encode(convert_to(content, 'UTF8'), 'hex') FROM chat WHERE message_id = 'odd'`)).toBe(
      Buffer.from(content).toString('hex'),
    );
    expect(await ask("SELECT extra FROM chat WHERE message_id = 'nul'")).toContain('"content":"a\\u0000b"');
    expect(await ask("SELECT extra FROM chat WHERE message_id = 'half'")).toContain('"content":"x\\udc00y"');
    expect(await ask("SELECT timestamp AT TIME ZONE 'UTC', onset = '5e-324' FROM chat WHERE message_id = 'odd'")).toBe(
      '0001-02-29 00:00:00.007 BC|t',
    );
    expect(await publishTo({ lab, schema })).toMatchObject({ isNew: false });
  });

  it('sends nothing where nothing changed, and leaves rows alone that did not', async () => {
    const { lab, schema, ask } = await open();
    await publishTo({ lab, schema });
    const rows = 'SELECT xmin, ctid, key FROM chat ORDER BY key';
    const [before, at] = [await ask(rows), await ask('SELECT published_at FROM _publication')];
    const asked: string[] = [];
    expect(await publishTo({ lab, schema }, { wrap: (server) => noting(server, asked) })).toMatchObject({
      isNew: false,
      written: 0,
      bytes: 0,
    });
    expect(asked.filter((sql) => /INSERT|DELETE|COPY|ALTER|CREATE|COMMIT$/.test(sql))).toEqual([]);
    expect([await ask(rows), await ask('SELECT published_at FROM _publication')]).toEqual([before, at]);
    says(lab, { messageId: 'new', content: 'a new one' });
    await syncs(lab);
    expect((await publishTo({ lab, schema })).unchanged).toBeGreaterThan(3);
    const after = (await ask(rows)).split('\n');
    expect(after.filter((row) => !before.split('\n').includes(row))).toEqual([expect.stringContaining('new')]);
    expect(await publishTo({ lab, schema }, { all: true })).toMatchObject({ unchanged: 0, isNew: true });
  });

  it('keeps rights and views of others, also when tables get other columns', async () => {
    const { lab, schema, ask } = await open();
    await publishTo({ lab, schema });
    await ask(`CREATE SCHEMA ${schema}_theirs; CREATE VIEW ${schema}_theirs.texts AS SELECT content FROM chat`);
    await ask('GRANT SELECT ON chat TO locked');
    // As they would be after another version of this program.
    await ask('ALTER TABLE chat DROP COLUMN onset, ADD COLUMN of_before text');
    await ask('ALTER TABLE people RENAME COLUMN participant_id TO xmin_');
    expect(await publishTo({ lab, schema })).toMatchObject({ isNew: true });
    expect(await publishTo({ lab, schema })).toMatchObject({ isNew: false });
    expect(await ask(`SELECT count(*) FROM ${schema}_theirs.texts`)).toBe(String(await counted(schema, 'chat')));
    expect(await ask("SELECT has_table_privilege('locked', 'chat', 'SELECT')")).toBe('t');
    expect(await ask('SELECT count(onset) > 0 FROM chat')).toBe('t');
    await ask(
      `CREATE VIEW ${schema}_theirs.more AS SELECT added FROM (SELECT 1) AS one, LATERAL (SELECT 2 AS added) AS two`,
    );
    await ask(
      `ALTER TABLE chat ADD COLUMN of_before text; CREATE VIEW ${schema}_theirs.needs AS SELECT of_before FROM chat`,
    );
    await expect(publishTo({ lab, schema })).rejects.toThrow(/other objects depend on it/);
    expect(await ask('SELECT count(*) > 0 FROM chat')).toBe('t');
  });

  it('is as it was, or as it is to be, after a kill or an interruption between any two statements', async () => {
    const { lab, schema, ask } = await open();
    await publishTo({ lab, schema });
    says(lab, { messageId: 'new', content: 'a new one' });
    await syncs(lab);
    const former = await content(schema);
    for (const when of ['COPY', 'INSERT']) {
      const abort = new AbortController();
      const wrap = (server: Server): Server =>
        noting(server, [], (sql) => {
          if (sql.startsWith(when)) abort.abort(new WarehouseError('INTERRUPTED', 'Interrupted.'));
        });
      await expect(publishTo({ lab, schema }, { all: true, signal: abort.signal, wrap })).rejects.toThrow(
        'Interrupted.',
      );
      expect(await content(schema)).toBe(former);
    }
    await expect
      .poll(() => ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hyperstudy-warehouse'"))
      .toBe('0');
    const asked: string[] = [];
    await publishTo({ lab, schema: `${schema}_whole` }, { wrap: (server) => noting(server, asked) });
    const wanted = await content(`${schema}_whole`);
    expect(wanted).not.toBe(former);
    const outcomes: string[] = [];
    for (let kill = 4, isAlive = false; !isAlive; kill += 7) {
      isAlive = await publishTo({ lab, schema }, { wrap: (server) => dying(server, kill) }).then(
        () => true,
        (error: unknown) => !(error instanceof Killed),
      );
      const now = await content(schema);
      outcomes.push(now === wanted ? 'new' : now === former ? 'former' : 'half');
      expect(await ask("SELECT count(*) FROM chat WHERE message_id = 'new'")).toBe(now === wanted ? '1' : '0');
    }
    expect(outcomes.join(' ')).toMatch(/^former( former){5,} new$/);
    expect(await ask("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")).toBe('0');
  });

  it('has the last state after several publications at once', async () => {
    const { lab, schema } = await open();
    // Neither schema nor tables are there yet.
    const first = await Promise.all([1, 2, 3].map(() => publishTo({ lab, schema })));
    expect(first.map(({ isNew }) => isNew).sort()).toEqual([false, false, true]);
    says(lab, { messageId: 'new', content: 'a new one' });
    await syncs(lab);
    let other: Promise<unknown> | undefined;
    // The slow one has read its state when another one wants to publish a later one.
    const late = (server: Server): Server => ({
      ...server,
      async run(sql, values) {
        if (sql.startsWith('ANALYZE') && other === undefined) {
          says(lab, { messageId: 'newer', content: 'a newer one' });
          await syncs(lab);
          other = publishTo({ lab, schema });
        }
        return server.run(sql, values);
      },
    });
    await publishTo({ lab, schema }, { wrap: late });
    expect(await other).toMatchObject({ isNew: true });
    await publishTo({ lab, schema: `${schema}_whole` });
    expect(await content(schema)).toBe(await content(`${schema}_whole`));
  });

  it('holds nothing of people who were erased, nor of experiments that are no longer there', async () => {
    const { lab, schema, ask } = await open(FEW, world);
    await publishTo({ lab, schema });
    const [experimentId = '', other = ''] = lab.simulator.world.experimentIds;
    const [person] = lab.simulator.world.records('participants', experimentId, lab.now);
    const id = String(person?.['id']);
    expect(await ask(`SELECT count(*) FROM participants WHERE participant_id = '${id}'`)).not.toBe('0');
    lab.warehouse.erase({ participant: id }, false);
    const asked: string[] = [];
    const wrap = (server: Server) => noting(server, asked);
    expect(await publishTo({ lab, schema }, { wrap })).toMatchObject({ isNew: true, unswept: [] });
    const tables = await ask(
      `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r'`,
    );
    for (const table of tables.split('\n'))
      expect(await ask(`SELECT count(*) FROM "${table}" t WHERE t::text LIKE '%${id}%'`)).toBe('0');
    expect(asked).toContain(`VACUUM "${schema}"."participants"`);
    const about = () => ({ experiments: [other], isComplete: false, lacks: ['an experiment'], unreadable: [] });
    expect((await publishTo({ lab, schema }, { about })).removed).toBeGreaterThan(3);
    expect(await ask(`SELECT count(*) FROM chat WHERE experiment_id = '${experimentId}'`)).toBe('0');
    expect(await ask('SELECT complete, lacks FROM _publication')).toBe('f|["an experiment"]');
    expect(await ask("SELECT count(*) FROM _published_tables WHERE table_name LIKE 'wide%'")).toBe('1');
  });

  it('is refused where the server holds other rows than were sent, or anything else', async () => {
    const { lab, schema, ask } = await open();
    await publishTo({ lab, schema });
    await ask(`CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.content = upper(NEW.content); RETURN NEW; END $$;
      CREATE TRIGGER shout BEFORE INSERT ON chat FOR EACH ROW EXECUTE FUNCTION shout()`);
    says(lab, { messageId: 'new', content: 'a new one' });
    await syncs(lab);
    const before = await content(schema);
    await expect(publishTo({ lab, schema })).rejects.toThrow(/chat of .* is not what was sent/);
    expect([await content(schema), await ask("SELECT count(*) FROM chat WHERE message_id = 'new'")]).toEqual([
      before,
      '0',
    ]);
    await postgres.ask(`CREATE TABLE public.theirs (a int)`);
    await expect(publishTo({ lab, schema: 'public' })).rejects.toThrow(/The schema public of .* holds something else/);
    await postgres.ask("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    await expect(publishTo({ lab, schema }, { url: postgres.url('latin') })).rejects.toThrow(/keeps texts as LATIN1/);
  });

  it('leaves out a table with a row a person that is too wide, and says so', async () => {
    const { lab, schema, ask } = await open();
    const db = lab.warehouse.db;
    const wide = String(db.prepare("SELECT column_name FROM _wide_columns WHERE form = 'table'").pluck().get());
    const columns = Array.from({ length: 500 }, (_, i) => `${'x'.repeat(64)}_${i}`);
    const whose = ['experiment_id', 'room_id', 'participant_id'];
    const fill = (value: string) =>
      db.exec(
        `DELETE FROM ${wide}; INSERT INTO ${wide} SELECT ${whose.join(', ')}, ${columns.map(() => value).join(', ')} FROM people`,
      );
    db.exec(`BEGIN; DROP TABLE ${wide}; CREATE TABLE ${wide} (${[...whose, ...columns].map((name) => `${name} TEXT`).join(', ')}) STRICT;
      INSERT INTO _data_dictionary (table_name, column_name, source, type, meaning)
        SELECT '${wide}', value, '', 'TEXT', '' FROM json_each('${JSON.stringify(columns)}'); COMMIT`);
    fill("'a'");
    // Columns whose names are alike up to the length that PostgreSQL takes stay apart.
    expect(await publishTo({ lab, schema })).toMatchObject({ leftOut: [] });
    const of = `table_schema = '${schema}' AND table_name = '${wide}'`;
    expect(Number(await ask(`SELECT count(*) FROM information_schema.columns WHERE ${of}`))).toBe(503);
    fill("'some words of an answer'");
    expect(await publishTo({ lab, schema }, { all: true })).toMatchObject({ leftOut: [wide] });
    expect(await ask(`SELECT to_regclass('${wide}') IS NULL`)).toBe('t');
    expect(await publishTo({ lab, schema })).toMatchObject({ leftOut: [wide], isNew: false });
  });

  it('finds the password where psql does, and never shows it', async () => {
    const { lab, schema } = await open();
    const folder = temporaryFolder();
    const [passFile, services] = [join(folder, 'pgpass'), join(folder, 'services')];
    writeFileSync(
      passFile,
      '# comment\nelsewhere:*:*:*:no\nlocalhost:5432:post\\:gres:locked:no\nlocalhost:*:postgres:locked:never\\:shown\n',
      { mode: 0o600 },
    );
    writeFileSync(
      services,
      `[other]\nuser=nobody\n# the lab\n[lab]\nhost=${postgres.folder}\nuser = locked\ndbname=postgres\npassword=never:shown\n`,
    );
    const url = postgres.url('postgres', 'locked');
    const tried = (env: NodeJS.ProcessEnv, to = url) =>
      publishTo({ lab, schema }, { url: to, env: { HOME: folder, ...env } }).then(
        () => 'published',
        (error: unknown) => (error instanceof WarehouseError ? `${error.message} ${error.hint ?? ''}` : String(error)),
      );
    expect(await tried({ PGPASSWORD: 'never:shown' })).toBe('published');
    expect(await tried({ PGPASSFILE: passFile })).toBe('published');
    expect(await tried({ PGSERVICEFILE: services }, 'postgres:///?service=lab')).toBe('published');
    expect(await tried({})).toMatch(/asks for a password, and none is known/);
    expect(await tried({ PGPASSWORD: 'not:this' })).toMatch(
      /^((?!not:this).)*password authentication failed for user "locked"((?!not:this).)*$/s,
    );
    chmodSync(passFile, 0o644);
    expect(await tried({ PGPASSFILE: passFile })).toMatch(/Others on this computer may read the passwords/);
  });
});

class Killed extends Error {}

/** A server that notes what is asked of it. */
function noting(server: Server, asked: string[], before: (sql: string) => void = () => undefined): Server {
  const note = <T>(sql: string, go: () => T): T => {
    asked.push(sql);
    before(sql);
    return go();
  };
  return {
    ...server,
    run: (sql, values) => note(sql, () => server.run(sql, values)),
    rows: (sql, type, values) => note(sql, () => server.rows(sql, type, values)),
    send: (sql, texts) => note(sql, () => server.send(sql, texts)),
    receive: (sql) => note(sql, () => server.receive(sql)),
  };
}

/** A server to which the connection is gone before one of the statements. */
function dying(server: Server, kill: number): Server {
  let asked = 0;
  return noting(server, [], () => {
    asked += 1;
    if (asked < kill) return;
    void server.close();
    throw new Killed();
  });
}
