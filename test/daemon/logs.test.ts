import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { startSimulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';
import { startFastDaemon } from '../support/daemon.ts';
import { timeAt } from '../support/fast-clock.mjs';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const INFO = 30;
const WARN = 40;

/** The line that the log has of each sync of a stream; other lines have no `fetched`. */
const Line = z.object({
  level: z.number(),
  msg: z.string(),
  experiment: z.string(),
  data: z.string(),
  status: z.string(),
  inserted: z.number(),
  updated: z.number(),
  deleted: z.number(),
  unchanged: z.number(),
  fetched: z.number(),
  requests: z.number(),
  ms: z.number(),
  code: z.string().optional(),
  requestId: z.string().optional(),
});
const Figures = Line.omit({ level: true, msg: true, ms: true, code: true, requestId: true }).array();

const json = (log: string): unknown[] =>
  log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const streamLines = (log: string) =>
  json(log).flatMap((line) => (z.object({ fetched: z.number() }).safeParse(line).success ? [Line.parse(line)] : []));

/** A simulated HyperStudy, and a folder with a configuration for it. */
async function lab(options: SimulatorOptions, yaml: string) {
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const simulator = await startSimulator({ limits, meterNow: Date.now, world: { experiments: 1 }, ...options });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  const api = `{ baseUrl: "${simulator.url}", limits: { perHour: 100000, perEndpointPerMinute: 10000 } }`;
  writeFileSync(join(cwd, 'config.yaml'), `api: ${api}\nhttp: false\nexperiments: [{ all: true }]\n${yaml}`);
  return { simulator, cwd, env: { HYPERSTUDY_API_KEY: simulator.key } };
}

const refusal = (status: number, code: string, id: string) => ({
  kind: 'reply' as const,
  reply: {
    status,
    headers: { 'content-type': 'application/json', 'x-request-id': id },
    body: JSON.stringify({ status: 'error', error: { code, message: 'Oops' } }),
  },
});

describe('the log', () => {
  it('has one line for each sync of a stream with the figures of its result', async () => {
    const time = { now: START + 2 * HOUR + 60_000 };
    const yaml = 'data: [rooms, events, chat, recordings, participants]';
    const { simulator, ...at } = await lab(
      {
        now: () => time.now,
        fault: ({ path }) =>
          path.startsWith('/data/chat/')
            ? refusal(404, 'NOT_FOUND', 'req-chat-1')
            : path.startsWith('/data/participants/')
              ? refusal(403, 'FORBIDDEN', 'req-people-1')
              : undefined,
      },
      yaml,
    );
    const sync = async (...flags: string[]) => {
      const ran = await hsw(['sync', 'now', '--json', ...flags], at);
      const { streams } = z.object({ streams: z.unknown() }).parse(JSON.parse(ran.stdout));
      return { lines: streamLines(ran.stderr), results: Figures.parse(streams) };
    };
    const isLike = ({ lines, results }: Awaited<ReturnType<typeof sync>>) => {
      const sorted = (all: readonly { data: string }[]) => [...all].sort((a, b) => a.data.localeCompare(b.data));
      expect(sorted(Figures.parse(lines))).toEqual(sorted(results));
      expect(lines.filter(({ status }) => status === 'ok').every(({ level }) => level === INFO)).toBe(true);
    };
    const first = await sync();
    isLike(first);
    expect(first.lines.find(({ data }) => data === 'chat')).toMatchObject({
      level: WARN,
      requests: 1,
      status: 'failed',
      code: 'NOT_FOUND',
      requestId: 'req-chat-1',
      msg: expect.stringContaining('(request id req-chat-1)') as string,
    });
    expect(first.lines.find(({ data }) => data === 'participants')).toMatchObject({
      level: WARN,
      status: 'skipped',
      requestId: 'req-people-1',
      msg: expect.stringContaining('(request id req-people-1)') as string,
    });
    const [id = ''] = simulator.world.experimentIds;
    let removed = 0;
    simulator.world.remove('recordings', id, () => removed++ === 0, time.now + 1);
    time.now += 2;
    const second = await sync();
    isLike(second);
    // A row is deleted when a second reading misses it as well.
    expect(second.lines.find(({ data }) => data === 'recordings')).toMatchObject({ deleted: 0, level: WARN });
    const third = await sync('--accept-deletes');
    isLike(third);
    const recordings = third.lines.find(({ data }) => data === 'recordings');
    expect(recordings?.deleted).toBe(1);
    expect(recordings?.msg).toBe(`synced recordings of ${id}`);
  });

  it('of a daemon accounts for every request, also where nothing was new, and names the one that was refused', async () => {
    const pace = { start: START + 3 * HOUR, from: Date.now(), speed: 200 };
    const state = { isRefused: false };
    const fault = () => (state.isRefused ? refusal(401, 'UNAUTHORIZED', 'req-key-1') : undefined);
    const { simulator, cwd, env } = await lab(
      { now: () => timeAt(pace), fault },
      "data: [rooms, chat]\nschedule: '* * * * *'",
    );
    const daemon = await startFastDaemon(cwd, pace, env);
    const chat = () => streamLines(daemon.log()).filter(({ data }) => data === 'chat');
    await vi.waitFor(() => expect(chat().length).toBeGreaterThan(5), { timeout: 10_000 });
    state.isRefused = true;
    await vi.waitFor(() => expect(daemon.log()).toContain('refuses the key'), { timeout: 10_000 });
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    const asked = simulator.requests.filter(({ path, status }) => path.startsWith('/data/chat/') && status === 200);
    expect(chat().reduce((sum, { requests }) => sum + requests, 0)).toBe(asked.length);
    expect(chat().some(({ inserted, level }) => inserted === 0 && level === INFO)).toBe(true);
    expect(json(daemon.log())).toContainEqual(
      expect.objectContaining({
        level: 50,
        code: 'KEY_REFUSED',
        requestId: 'req-key-1',
        msg: expect.stringContaining('(request id req-key-1)') as string,
      }),
    );
  });

  it('is JSON in the journal of systemd, lines for people elsewhere, and short on a terminal', async () => {
    const { cwd, env } = await lab({ now: () => START + 3 * HOUR }, 'data: [rooms]\nlog: { pretty: auto }');
    const people = await hsw(['sync', 'now'], { cwd, env });
    expect(people.stderr).toMatch(/^✓ rooms of \S+: \d+ fetched, \d+ new, 0 changed, 0 deleted, 2 requests$/m);

    const journal = join(cwd, 'journal');
    const fd = openSync(journal, 'w');
    const { dev, ino } = fstatSync(fd);
    const child = spawn(process.execPath, [MAIN, 'sync', 'now'], {
      cwd,
      env: { ...env, PATH: process.env['PATH'], JOURNAL_STREAM: `${dev}:${ino}` },
      stdio: ['ignore', 'ignore', fd],
    });
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0);
    closeSync(fd);
    expect(streamLines(readFileSync(journal, 'utf8'))).toMatchObject([{ data: 'rooms', level: INFO }]);

    writeFileSync(join(cwd, 'config.yaml'), readFileSync(join(cwd, 'config.yaml'), 'utf8').replace('auto', 'true'));
    const pretty = await hsw(['sync', 'now', '--json'], { cwd, env });
    const lines = pretty.stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/INFO.*synced rooms of .*"requests":1/);
  });
});
