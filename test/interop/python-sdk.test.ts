import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { HOUR, START } from '../support/lab.ts';

const VENV = join(tmpdir(), 'hyperstudy-warehouse-sdk-0.4.1');
const PYTHON = join(VENV, 'bin', 'python');

/** Makes the official SDK importable, or says why it cannot be had. */
function installSdk(): string | undefined {
  const imports = () => spawnSync(PYTHON, ['-c', 'import hyperstudy'], { encoding: 'utf8' }).status === 0;
  if (existsSync(PYTHON) && imports()) return undefined;
  if (spawnSync('python3', ['-m', 'venv', '--clear', VENV], { encoding: 'utf8' }).status !== 0)
    return 'python3 with venv is not to be had';
  const installed = spawnSync(PYTHON, ['-m', 'pip', 'install', '--quiet', 'hyperstudy==0.4.1'], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  return installed.status === 0 && imports() ? undefined : 'the package hyperstudy 0.4.1 cannot be installed';
}

function runSdk(env: Record<string, string>): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(PYTHON, [join(import.meta.dirname, 'python_sdk.py')], {
      env: { PATH: process.env['PATH'], ...env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Records in an order of their own, without what differs in every answer. */
function plain(records: readonly unknown[]): string[] {
  return records
    .map((record) => {
      const { downloadUrl, ...rest } = record as Record<string, Json>;
      return canonicalJson(
        typeof downloadUrl === 'string' ? { ...rest, downloadUrl: downloadUrl.split('?')[0] ?? '' } : rest,
      );
    })
    .sort();
}

interface Read {
  readonly experiments: { id: string; name: string }[];
  readonly data: Record<string, Record<string, unknown[]>>;
  readonly rooms: Record<string, unknown[]>;
  readonly participant: { id: string; room: string; events: unknown[]; counts: { counts: Record<string, number> } };
  readonly variables: Record<string, unknown[]>;
  readonly configs: Record<string, unknown>;
  readonly sessions: Record<string, unknown[]>;
  readonly download: string;
  readonly health: { status: string };
}

describe('the official Python SDK', () => {
  it(
    'reads every data type from the simulator and gets what the simulator holds',
    { timeout: 300_000 },
    async (context) => {
      const missing = installSdk();
      if (missing !== undefined) {
        console.log(`skipped: ${missing}`);
        return context.skip();
      }
      const now = START + 3 * HOUR;
      const simulator = await startSimulator({
        now: () => now,
        meterNow: Date.now,
        limits: { perHour: 1e6, perEndpointPerMinute: 1e6 },
      });
      try {
        const ran = await runSdk({ HYPERSTUDY_API_KEY: simulator.key, HYPERSTUDY_BASE_URL: simulator.url });
        expect(ran.status, ran.stderr).toBe(0);
        const read = JSON.parse(ran.stdout) as Read;
        const { world } = simulator;
        expect(read.experiments.map(({ id }) => id).sort()).toEqual([...world.experimentIds].sort());
        for (const id of world.experimentIds) {
          for (const [dataType, records] of Object.entries(read.data[id] ?? {})) {
            expect(plain(records), `${dataType} of ${id}`).toEqual(plain(world.records(dataType, id, now)));
          }
          expect(plain([read.configs[id]])).toEqual(plain(world.records('experiment-configs', id, now)));
          const variables = world.records('rooms', id, now).flatMap((room) => read.variables[String(room['id'])] ?? []);
          expect(plain(variables)).toEqual(plain(world.records('variables', id, now)));
          expect(plain(read.sessions[id] ?? [])).toEqual(plain(world.records('deployment-sessions', id, now)));
        }
        const types = Object.keys(read.data[world.experimentIds[0] ?? ''] ?? {});
        expect(types.length).toBe(14);
        const { id, room, events, counts } = read.participant;
        const experiment = world.experimentOf(room) ?? '';
        const inRoom = world
          .records('events', experiment, now)
          .filter((record) => record['roomId'] === room || record['sessionId'] === room);
        expect(plain(read.rooms[room] ?? [])).toEqual(plain(inRoom));
        expect(plain(events)).toEqual(plain(inRoom.filter((record) => record['participantId'] === id)));
        expect(counts.counts['events']).toBe(events.length);
        expect(read.download).toMatch(/X-Goog-Signature/);
        expect(read.health.status).toBe('healthy');
      } finally {
        await simulator.close();
      }
    },
  );
});
