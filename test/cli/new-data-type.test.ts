import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEMO_KEY } from '../../src/simulator/server.ts';

/** All that anybody writes to add a data type: the file, */
const DECLARATION = `import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const heartRate = defineDataset({
  name: 'heart-rate',
  about: 'The heart rate of participants who wear a sensor.',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'room', 'participant'],
  identity: ['sampleId'],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    sampleId: { kind: 'text', about: 'The id of the sample.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    timestamp: TIMESTAMP,
    onset: ONSET,
    bpm: { kind: 'real', about: 'The heart rate.', privacy: 'none', unit: 'beats a minute' },
    sensor: { kind: 'json', about: 'The sensor.', privacy: 'none' },
  },
});
export const heartRateTable = heartRate.drizzle;
`;
/** and its line in the registry, with the import. */
const inRegistry = (registry: string) =>
  `import { heartRate } from './heart-rate.ts';\n${registry.replace('  agentSpend,\n];', '  agentSpend,\n  heartRate,\n];')}`;

const Listening = z.object({ url: z.string() });
const Synced = z.object({ streams: z.array(z.object({ data: z.string(), status: z.string(), inserted: z.number() })) });

describe('a data type that was added by one file, one line in the registry and a migration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hsw-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stdout, stderr };
  }
  const hsw = (args: readonly string[], env = {}) => run(process.execPath, ['src/main.ts', ...args], env);

  beforeAll(async () => {
    for (const part of ['src', 'migrations', 'package.json', 'drizzle.config.ts'])
      cpSync(part, join(folder, part), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
    const registry = join(folder, 'src/datasets/registry.ts');
    const before = readFileSync(registry, 'utf8');
    writeFileSync(join(folder, 'src/datasets/heart-rate.ts'), DECLARATION);
    writeFileSync(registry, inRegistry(before));
    expect(readFileSync(registry, 'utf8').split('\n').length).toBe(before.split('\n').length + 2);
    const made = await run('npm', ['run', '--silent', 'migrations', '--', '--name', 'heart_rate']);
    expect(made, made.stderr).toMatchObject({ status: 0 });
  }, 300_000);

  it('is in the demo', async () => {
    const { status, stdout, stderr } = await hsw(['demo', '--json', '--out', 'demo.db']);
    expect(status, stderr).toBe(0);
    const { first } = z.object({ first: Synced }).parse(JSON.parse(stdout));
    const streams = first.streams.filter(({ data }) => data === 'heart-rate');
    expect(streams.map(({ status: how }) => how)).toEqual(['ok', 'ok', 'ok']);
    for (const { inserted } of streams) expect(inserted).toBeGreaterThan(0);
  });

  it('is set up, checked, synced, verified and exported as every other one is', async () => {
    const simulator = spawn(process.execPath, ['src/main.ts', 'simulator', '--port', '0', '--json'], { cwd: folder });
    try {
      const [line] = (await once(simulator.stdout, 'data')) as [Buffer];
      const { url } = Listening.parse(JSON.parse(line.toString()));
      const env = { HYPERSTUDY_BASE_URL: url, HYPERSTUDY_API_KEY: DEMO_KEY };
      mkdirSync(join(folder, 'data'), { recursive: true });
      const made = await hsw(['init', '--yes', '--all'], env);
      expect(made, made.stderr).toMatchObject({ status: 0 });
      expect((await hsw(['doctor'], env)).stdout).toContain('✓ heart-rate: allowed');

      const synced = await hsw(['sync', 'now', '--json', '--data', 'heart-rate'], env);
      expect(synced.status, synced.stderr).toBe(0);
      const { streams } = Synced.parse(JSON.parse(synced.stdout));
      const rows = streams.reduce((sum, { inserted }) => sum + inserted, 0);
      expect(rows).toBeGreaterThan(0);

      const verified = await hsw(['verify', '--deep', '--json', '--data', 'heart-rate'], env);
      expect(verified.status, verified.stderr).toBe(0);
      const verdicts = z.object({ streams: z.array(z.object({ status: z.string(), rows: z.number() })) });
      const found = verdicts.parse(JSON.parse(verified.stdout)).streams;
      expect(new Set(found.map(({ status }) => status))).toEqual(new Set(['equal']));

      const { stdout } = await hsw(['export', '--data', 'heart-rate', '--format', 'csv'], env);
      const [header = '', ...lines] = stdout.trimEnd().split(/\r?\n/);
      expect(header.split(',')).toEqual(expect.arrayContaining(['sample_id', 'room_id', 'bpm', 'sensor_n']));
      expect(lines.length).toBeGreaterThanOrEqual(rows);
    } finally {
      simulator.kill();
    }
  });
});
