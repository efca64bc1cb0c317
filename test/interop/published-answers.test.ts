import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withoutSignature } from '../../src/datasets/addresses.ts';
import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import type { SqlValue } from '../../src/datasets/values.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { openForReading } from '../../src/warehouse/open.ts';
import { allPositions } from '../../src/warehouse/positions.ts';
import { records } from '../../src/warehouse/records.ts';
import { viewName } from '../../src/warehouse/views.ts';
import { asSql, asViewNames, asViewRow, type Cell, DERIVED, parseCsv, type Outcome } from '../support/frames.ts';
import { nameOf, readPublished, type Frame } from '../support/published-reading.ts';
import { idOf } from '../support/published.ts';
import { fetchPublishedAnswers } from '../support/sdk.ts';

/** Files among the SDK's test data that are no answers of the API, and what they are. */
const NO_ANSWERS = { 'experiment.schema.json': 'the schema by which the SDK checks an experiment before it is sent' };

/** Calls of the SDK, and the view that must hold what their DataFrames hold. */
const FRAMES: readonly Frame[] = [
  { account: 'study', data: 'experiments', call: 'list_experiments', args: [] },
  { account: 'study', data: 'events', call: 'get_events', args: ['study'] },
  { account: 'study', data: 'recordings', call: 'get_recordings', args: ['study'] },
  { account: 'study', data: 'ratings/sparse', call: 'get_ratings', args: ['study'], options: { kind: 'sparse' } },
  { account: 'study', data: 'deployments', call: 'list_deployments', args: [] },
  { account: 'study', data: 'deployment-sessions', call: 'get_deployment_sessions', args: ['batch'] },
  { account: 'before', data: 'events', call: 'get_events', args: ['study'] },
  {
    account: 'before',
    data: 'events',
    call: 'get_consent',
    args: ['study'],
    where: "event_type LIKE 'consent.%'",
  },
  {
    account: 'before',
    data: 'events',
    call: 'get_instructions',
    args: ['study'],
    where: "event_type LIKE 'instructions.%'",
  },
  { account: 'pages', data: 'events', call: 'get_events', args: ['study'] },
  {
    account: 'agents',
    data: 'agent-decisions',
    call: 'get_agent_decisions',
    args: ['room'],
    options: { scope: 'room', detail: true },
  },
  { account: 'agents', data: 'agent-runs', call: 'get_agent_runs', args: ['modelled'] },
];
const WHOLE = FRAMES.filter(({ where }) => where === undefined);

/** Columns of a view that are the warehouse's own. */
const OWN = ['experiment_id', 'key', 'first_seen_at', 'synced_at', 'synced_run'];

/** Columns of a view that hold a member under another name than the SDK would give it. */
const MEMBER_OF: Readonly<Record<string, string>> = {
  room_id: 'metadata_room_name',
  scale_min_2: 'scale_min',
  scale_max_2: 'scale_max',
};

const Warned = z.object({ metadata: z.object({ _warnings: z.array(z.string()).nonempty() }) });
const Refused = z.object({ error: z.object({ message: z.string() }) });
const Forbidden = z.object({
  error: z.object({ message: z.string(), details: z.object({ required: z.array(z.string()).nonempty() }) }),
});

/** Records by their id; a recording's address without its signature, which the warehouse does not keep. */
function byId(data: string, found: Iterable<JsonObject>): Record<string, JsonObject> {
  const [id = ''] = datasetNamed(data).identity;
  const unsigned = ({ downloadUrl }: JsonObject) =>
    typeof downloadUrl === 'string' ? { downloadUrl: withoutSignature(downloadUrl) } : {};
  return Object.fromEntries([...found].map((record) => [idOf(record, id), { ...record, ...unsigned(record) }]));
}

/** A DataFrame of a room's decisions without the runs in it, and without the columns that only the runs fill. */
function withoutRuns(rows: Outcome['rows']): Outcome['rows'] {
  const decisions = rows.filter((row) => row['_type'] !== 'run');
  if (decisions.length === rows.length) return rows;
  const isFilled = (name: string) => decisions.some((row) => row[name] !== null);
  return decisions.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => isFilled(name))));
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is no such thing');
  return value;
}

const { folder = '', missing } = fetchPublishedAnswers();
if (missing !== undefined) console.log(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)('the answers that the official SDK publishes', () => {
  let all: Awaited<ReturnType<typeof readPublished>>;
  beforeAll(async () => {
    all = await readPublished(folder, FRAMES);
  }, 400_000);
  afterAll(() => rmSync(all.home, { recursive: true, force: true }));

  const mirrorOf = (name: string) => found(all.mirrors.find(({ account }) => account === name));
  const outcome = (name: string) => found(all.outcomes[name]);
  const tableOf = (account: string, data: string) => byId(data, all.tables[account]?.[data] ?? []);
  function held(account: string, data: string): Record<string, JsonObject> {
    const db = openForReading(mirrorOf(account).path);
    const rows = [...records(db, datasetNamed(data))].map(({ record }) => record);
    db.close();
    return byId(data, rows);
  }
  function viewOf({ account, data, where = 'TRUE' }: Pick<Frame, 'account' | 'data' | 'where'>) {
    const db = openForReading(mirrorOf(account).path);
    const sql = `SELECT * FROM "${viewName(datasetNamed(data))}" WHERE ${where}`;
    const rows = db.prepare<[], Record<string, SqlValue>>(sql).all();
    db.close();
    return rows;
  }
  /** A DataFrame's rows with the row of the view that has the same id. */
  function pairs(frame: Frame) {
    const dataset = datasetNamed(frame.data);
    const [id = ''] = dataset.columns.filter(({ field }) => dataset.identity.includes(field)).map(({ name }) => name);
    const rows = withoutRuns(outcome(nameOf(frame)).rows);
    const view = viewOf(frame);
    expect(view.length).toBe(rows.length);
    return rows.map((row) => {
      const expected = asViewRow(dataset, row);
      return { row, expected, id, view: found(view.find((one) => one[id] === expected[id])) };
    });
  }
  const streams = (account: string) => {
    const db = openForReading(mirrorOf(account).path);
    const positions = allPositions(db);
    db.close();
    return positions;
  };

  it('are all served, but for the files that are no answers', () => {
    expect([...all.served, ...Object.keys(NO_ANSWERS)].sort()).toEqual(readdirSync(folder).sort());
  });

  it.each(['study', 'before', 'pages', 'agents'])(
    'are mirrored to the last field, and said to be complete (%s)',
    (account) => {
      // The published experiments count more rooms and participants than were published with them.
      const isShort = ({ complete, reason = '' }: { complete: boolean; reason: string | undefined }) =>
        !complete && reason.startsWith('the experiment counts ');
      const status = streams(account).some(isShort) ? 1 : 0;
      expect([mirrorOf(account).ran.status, mirrorOf(account).ran.stderr]).toEqual([status, expect.anything()]);
      const published = Object.keys(all.tables[account] ?? {});
      for (const data of published) expect(held(account, data), data).toStrictEqual(tableOf(account, data));
      // Tables of which nothing was published hold what the test made up, or nothing.
      const madeUp = ['experiments', 'experiment-configs', 'rooms'];
      for (const { name } of DATASETS)
        if (!published.includes(name) && !madeUp.includes(name)) expect(held(account, name), name).toEqual({});
      const doubted = streams(account).filter((stream) => !stream.complete && !isShort(stream));
      expect(doubted.filter(({ data }) => published.includes(data))).toEqual([]);
    },
  );

  it.each(['study', 'before', 'pages'])('change nothing when they are read again (%s)', (account) => {
    expect(found(mirrorOf(account).again).stdout).toContain(' 0 new rows, 0 changed, 0 deleted;');
  });

  it.each(FRAMES.map((frame) => [frame.call, frame.account, frame] as const))(
    'are in the view, column by column, as in the DataFrame of %s (%s)',
    (_call, account, frame) => {
      const rows = pairs(frame);
      expect(rows.length).toBeGreaterThan(0);
      const own = new Set([...OWN, ...datasetNamed(frame.data).derived.map(({ name }) => name)]);
      for (const { row, expected, id, view } of rows) {
        expect(view).toMatchObject(expected);
        if (DERIVED in row) expect(row[DERIVED]).toBe(view['onset_s']);
        // What the SDK has no column for is the warehouse's own, or another member of the record.
        const record = asViewNames(found(tableOf(account, frame.data)[String(view[id])]));
        for (const [name, value] of Object.entries(view)) {
          if (name in expected || own.has(name) || value === null) continue;
          expect(value, name).toEqual(asSql(record[MEMBER_OF[name] ?? name] as Cell));
        }
      }
    },
  );

  it.each(WHOLE.map((frame) => [frame.data, frame.account, frame] as const))(
    'are exported as %s, record by record and column by column (%s)',
    async (data, account, frame) => {
      const { run } = mirrorOf(account);
      const formats = ['ndjson', 'csv'].map((format) => run('export', '--data', data, '--format', format));
      const [ndjson, table] = (await Promise.all(formats)).map(({ stdout }) => stdout);
      const lines = found(ndjson).trimEnd().split('\n');
      const exported = lines.map((line) => JSON.parse(line) as JsonObject);
      expect(exported.length).toBe(Object.keys(tableOf(account, data)).length);
      expect(byId(data, exported)).toStrictEqual(tableOf(account, data));

      const csv = parseCsv(found(table));
      expect(csv.length).toBe(exported.length);
      for (const { expected, id } of pairs(frame)) {
        const texts = Object.entries(expected).map(([name, value]) => [name, value === null ? '' : String(value)]);
        expect(csv.find((line) => line[id] === expected[id])).toMatchObject(Object.fromEntries(texts));
      }
    },
  );

  it('tell the details of one agent decision as the mirrored row of that decision does', () => {
    const [detail = {}] = outcome('decision').rows;
    const row = held('agents', 'agent-decisions')[idOf(detail)];
    expect(Object.keys(detail).length).toBeGreaterThan(10);
    expect(row).toMatchObject(detail);
  });

  it('are asked for room by room where decisions of the whole experiment are cut off', () => {
    const { warnings, rows } = outcome('truncated');
    expect(warnings).toEqual([expect.stringContaining('truncated')]);
    const mirrored = held('agents', 'agent-decisions');
    expect(Object.keys(mirrored).length).toBeGreaterThan(rows.length);
    // The cut answer and the room's tell the same decision differently: the room's counts.
    expect(mirrored[idOf(rows[0])]?.['value']).not.toBe(rows[0]?.['value']);
  });

  it('leave no former version of a decision that a cut answer tells differently, however often they are read', () => {
    const db = openForReading(mirrorOf('agents').path);
    const former = db.prepare('SELECT table_name, record FROM _history').all();
    db.close();
    expect(former).toEqual([]);
  });

  it('hold the runs among a room’s decisions as rows of the runs, with the same values', () => {
    const decisions = outcome('get_agent_decisions of agents').rows;
    const runs = decisions.filter((row) => row['_type'] === 'run');
    expect(runs.length).toBeGreaterThan(0);
    const view = viewOf({ account: 'agents', data: 'agent-runs' });
    for (const run of runs) {
      const { _type, ...told } = Object.fromEntries(Object.entries(run).filter(([, cell]) => cell !== null));
      expect(_type).toBe('run');
      expect(view.find(({ id }) => id === run['id'])).toMatchObject(asViewRow(datasetNamed('agent-runs'), told));
    }
  });

  it('name a recording’s room inside of an object, from where its column is filled', () => {
    const rows = viewOf({ account: 'study', data: 'recordings' });
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect([row['room_id'], row['metadata_room_name']]).toEqual(['room_1', 'room_1']);
  });

  it('name no room of a rating, and the ends of its scale inside of an object, and so does the view', () => {
    for (const row of viewOf({ account: 'study', data: 'ratings/sparse' })) {
      expect([row['room_id'], row['scale_min'], row['scale_max']]).toEqual([null, null, null]);
      expect([row['scale_min_2'], row['scale_max_2']]).toEqual([expect.any(Number), expect.any(Number)]);
    }
  });

  it('tell of a deployment by itself what the mirrored list tells, and three fields that only that answer has', () => {
    const [deployment = {}] = outcome('deployment').rows;
    const listed = found(held('study', 'deployments')[idOf(deployment)]);
    expect(deployment).toMatchObject(listed);
    // `hsw` reads the list only.
    const more = Object.keys(deployment).filter((name) => !(name in listed));
    expect(more).toEqual(['participantCount', 'maxParticipants', 'updatedAt']);
  });

  it('make a stream incomplete, in the words of the warning that the SDK gives', () => {
    const [warning] = Warned.parse(all.bodyOf('warnings_response')).metadata._warnings;
    expect(outcome('warned')).toMatchObject({ warnings: [warning], rows: [] });
    const events = streams('warned').find(({ data }) => data === 'events');
    expect(events).toMatchObject({ complete: false, reason: expect.stringContaining(String(warning)) as string });
    const { status, stderr, stdout } = mirrorOf('warned').ran;
    expect(status).toBe(1);
    expect(stdout + stderr).toContain(warning);
  });

  it('stop a sync whose key is refused, in the words of the error that the SDK raises', () => {
    const { message } = Refused.parse(all.bodyOf('error_401')).error;
    expect(outcome('refused').error).toMatchObject({ message, status: 401 });
    const { status, stderr } = mirrorOf('refused').ran;
    expect(status).toBe(3);
    expect(stderr).toContain(`The API refuses the key: ${message}`);
  });

  it('skip a data type that the key may not read, and name the scope that the key lacks', () => {
    const { message, details } = Forbidden.parse(all.bodyOf('error_403')).error;
    expect(outcome('forbidden').error).toMatchObject({ message, status: 403 });
    const events = streams('forbidden').find(({ data }) => data === 'events');
    expect(events).toMatchObject({ complete: false, lastStatus: 'skipped' });
    const { stdout, stderr } = mirrorOf('forbidden').ran;
    expect(stdout + stderr).toContain(`it lacks the scope ${details.required.join(', ')}: it was skipped.`);
  });
});
