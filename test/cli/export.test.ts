import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/server.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { hsw } from '../support/command.ts';
import { lab } from '../support/daemon-lab.ts';
import { listFault } from '../support/list.ts';

const ONE = { world: { experiments: 1, roomsPerExperiment: 1 } };
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** Puts something that is no record into each answer for chat. */
const STRANGE = '{"big":12345678901234567890}';
const malformed: SimulatorOptions['fault'] = ({ path }) =>
  path.startsWith('/data/chat/')
    ? {
        kind: 'change',
        change: (reply) => ({ ...reply, body: reply.body.replace('"data":[', `"data":[[${STRANGE}],`) }),
      }
    : undefined;

describe('hsw export', () => {
  it('says nothing and exits with 0 when the data are complete', async () => {
    const { cwd } = await lab(ONE, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    const done = await hsw(['export', '--data', 'chat'], { cwd });
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(lines(done.stdout).length).toBeGreaterThan(0);
  });

  it('writes files that only their owner can read, and none where others decide what is written', async () => {
    const { cwd } = await lab(ONE, 'data: [rooms]\n');
    await hsw(['sync', 'now'], { cwd });
    const to = (out: string) => hsw(['export', '--data', 'rooms', '--out', join(cwd, out)], { cwd });
    expect((await to('rooms.ndjson')).status).toBe(0);
    expect(statSync(join(cwd, 'rooms.ndjson')).mode & 0o777).toBe(0o600);
    symlinkSync(join(cwd, 'target'), join(cwd, 'link.ndjson'));
    const linked = await to('link.ndjson');
    expect([linked.status, linked.stderr]).toEqual([4, expect.stringContaining('is a symbolic link')]);
    expect(existsSync(join(cwd, 'target'))).toBe(false);
    chmodSync(cwd, 0o755);
    mkdirSync(join(cwd, 'open'));
    chmodSync(join(cwd, 'open'), 0o777);
    const open = await to('open/rooms.ndjson');
    expect([open.status, open.stderr]).toEqual([4, expect.stringContaining('can replace the files in')]);
    expect((await hsw(['export', '--data', 'rooms', '--out', '/dev/null'], { cwd })).status).toBe(0);
  });

  it('says on stderr what was never read, or is no longer configured, and exits with 1 for the former', async () => {
    const { cwd, write } = await lab(ONE, 'data: [rooms, chat, events]\n');
    await hsw(['sync', 'now', '--data', 'chat'], { cwd });
    const never = await hsw(['export', '--data', 'events'], { cwd });
    expect([never.status, never.stdout]).toEqual([1, '']);
    expect(never.stderr).toMatch(
      /^! The only stream of events was never read, so rows are missing: exp_\w+ \(not read yet\)\.\n$/,
    );
    const unasked = await hsw(['export', '--data', 'recordings'], { cwd });
    expect(unasked).toMatchObject({
      status: 1,
      stdout: '',
      stderr: '! No records of recordings were ever read.\n',
    });
    write('data: [rooms]\n');
    const former = await hsw(['export', '--data', 'chat'], { cwd });
    expect(former.status).toBe(0);
    expect(former.stderr).toMatch(
      /^! The rows of 1 stream of chat that the configuration no longer asks for are those of the last read: exp_\w+\.\n$/,
    );
    expect(lines(former.stdout).length).toBeGreaterThan(0);
  });

  it('writes a table that is computed, and says what the data that it follows from may lack', async () => {
    const { cwd } = await lab(ONE, 'data: [rooms, participants, events]\n');
    await hsw(['sync', 'now'], { cwd });
    const csv = await hsw(['export', '--data', 'answers', '--format', 'csv'], { cwd });
    expect([csv.status, csv.stderr]).toEqual([0, '']);
    const [header = '', ...rows] = csv.stdout.trimEnd().split('\r\n');
    expect(header).toMatch(/^experiment_id,room_id,participant_id,kind,question_id/);
    expect(rows.length).toBeGreaterThan(5);
    const view = await hsw(['export', '--data', 'questionnaire'], { cwd });
    expect(JSON.parse(lines(view.stdout)[0] ?? '')).toMatchObject({ kind: 'questionnaire' });

    const partly = await lab(ONE, 'data: [rooms, participants, events]\n');
    await hsw(['sync', 'now', '--data', 'participants'], { cwd: partly.cwd });
    const lacking = await hsw(['export', '--data', 'answers', '--format', 'csv'], { cwd: partly.cwd });
    expect(lacking.status).toBe(1);
    expect(lacking.stderr).toMatch(/^! The only stream of events was never read/);
  });

  it.each([
    [['--data', 'answer'], 'There is no data type or table answer.'],
    [['--data', '_streams'], 'There is no data type or table _streams.'],
    [['--data', 'people', '--quarantined'], 'people is a table that is computed, and has no quarantined records.'],
  ])('refuses %s', async (flags, message) => {
    const { cwd } = await lab(ONE, 'data: [rooms]\n');
    await hsw(['sync', 'now'], { cwd });
    const done = await hsw(['export', ...flags], { cwd });
    expect([done.status, done.stdout]).toEqual([2, '']);
    expect(done.stderr).toContain(message);
  });

  it('says what failed and what is gone, each cause in a line, and writes the rows all the same', async () => {
    const list = listFault();
    const state = { isFailing: false };
    const fault: SimulatorOptions['fault'] = (request, n) =>
      state.isFailing && request.path.startsWith('/data/chat/')
        ? {
            kind: 'reply',
            reply: {
              status: 400,
              headers: {},
              body: '{"status":"error","error":{"code":"INVALID_PARAMETER","message":"No"}}',
            },
          }
        : list.fault(request, n);
    const { cwd, simulator } = await lab({ fault, world: { experiments: 3 } }, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    list.hidden = simulator.world.experimentIds.slice(0, 1);
    state.isFailing = true;
    await hsw(['sync', 'now'], { cwd });
    const done = await hsw(['export', '--data', 'chat', '--format', 'csv'], { cwd });
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(
      /^! 1 of 3 streams of chat can no longer be found in the API; .*no longer in the list/m,
    );
    expect(done.stderr).toMatch(/^! 2 of 3 streams of chat could not be read last time/m);
    expect(done.stdout.split('\r\n').length).toBeGreaterThan(15);
    const one = await hsw(['export', '--data', 'chat', '--experiment', list.hidden[0] ?? ''], { cwd });
    expect(one.stderr).toMatch(/^! The only stream of chat can no longer be found in the API/);
  });

  it('says how many records are quarantined, and writes them as the API sent them with --quarantined', async () => {
    const { cwd } = await lab({ ...ONE, fault: malformed }, 'data: [rooms, chat]\n');
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(1);
    const plain = await hsw(['export', '--data', 'chat'], { cwd });
    expect(plain.status).toBe(1);
    expect(plain.stderr).toMatch(
      /^! 1 record of chat could not be stored as a row\. Write it too with --quarantined\.$/m,
    );
    const out = join(cwd, 'chat.ndjson');
    const whole = await hsw(['export', '--data', 'chat', '--quarantined', '--out', out], { cwd });
    expect([whole.status, whole.stdout]).toEqual([1, '']);
    expect(whole.stderr).toMatch(/^! 1 record of chat .* It is written after the rows\.$/m);
    const written = lines(readFileSync(out, 'utf8'));
    expect(written.slice(0, -1)).toEqual(lines(plain.stdout));
    expect(written.at(-1)).toMatch(
      /^\{"quarantined":\{"experiment":"exp_\w+","scope":"experiment","reason":"not an object","firstSeenAt":"[^"]+"\},"record":\[\{"big":12345678901234567890\}\]\}$/,
    );
    const csv = await hsw(['export', '--data', 'chat', '--quarantined', '--format', 'csv'], { cwd });
    expect(csv.status).toBe(2);
    expect(csv.stderr).toContain('Use --format ndjson with --quarantined.');
  });

  it('names on stderr what a CSV file has no column for', async () => {
    const unusual: SimulatorOptions['fault'] = ({ path }) =>
      path.startsWith('/data/chat/')
        ? {
            kind: 'change',
            change: (reply) => ({ ...reply, body: reply.body.replaceAll('"messageId"', '"a\\"b":1,"messageId"') }),
          }
        : undefined;
    const { cwd } = await lab({ ...ONE, fault: unusual }, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    const { stderr } = await hsw(['export', '--data', 'chat', '--format', 'csv'], { cwd });
    expect(stderr).toBe('! 1 member of chat has no column: extra.a"b. The NDJSON has it.\n');
    expect((await hsw(['export', '--data', 'chat'], { cwd })).stderr).toBe('');
  });

  it('says what may be missing of one person too', async () => {
    const { cwd, simulator, time } = await lab(ONE, 'data: [rooms, chat, events]\n');
    const [experiment = ''] = simulator.world.experimentIds;
    const [message = {}] = simulator.world.records('chat', experiment, time.now);
    const person = ['export', '--participant', String(message['senderId'])];
    await hsw(['sync', 'now', '--data', 'chat'], { cwd });
    const part = await hsw(person, { cwd });
    expect(part.status).toBe(1);
    expect(part.stderr).toMatch(/^! The only stream of events was never read, so rows are missing: exp_\w+ /m);
    await hsw(['sync', 'now'], { cwd });
    const whole = await hsw(person, { cwd });
    expect([whole.status, whole.stderr]).toEqual([0, '']);
    expect(lines(whole.stdout).length).toBeGreaterThan(lines(part.stdout).length);
  });

  it('says how many rows are withheld from deletion', async () => {
    const { cwd, db } = await lab(ONE, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    const warehouse = openWarehouse(db, { clock: systemClock, history: true });
    warehouse.db
      .prepare("UPDATE _streams SET doubts = ?, complete = 0, reason = 'r', withheld_rows = 12 WHERE data = 'chat'")
      .run(JSON.stringify([{ kind: 'withheld', text: '12 of 25 rows are no longer in the API', count: 12 }]));
    warehouse.close();
    const done = await hsw(['export', '--data', 'chat'], { cwd });
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(/^! 12 rows of chat are withheld from deletion, although no longer in the API\.$/m);
  });
});
