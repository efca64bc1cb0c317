/** What only our own command has: its event loop, and what its other commands cost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { hsw, KEY, ours } from './contenders.ts';
import { measureDaemon } from './daemon.ts';
import { measure, type Command } from './measure.ts';
import { medianCost, type OwnResults } from './results.ts';
import { startService, type Service } from './service.ts';

const SMALL_ROWS = 2000;

/** @param large the folder of a warehouse that has read everything from the service. */
export async function measureOwn({
  service,
  large,
  top,
  runs,
  seconds,
}: {
  service: Service;
  large: string;
  top: string;
  runs: number;
  /** How long the daemon is watched. */
  seconds: number;
}): Promise<OwnResults> {
  const small = await startService(SMALL_ROWS);
  try {
    const folder = join(top, 'small');
    ours.prepare(folder, small.url);
    await measure(ours.command('read', folder, small.url));
    const commands: [string, Command, Service][] = [
      ['start-up (`--version`)', hsw(folder, '--version'), small],
      ['`status`, small', hsw(folder, 'status'), small],
      ['`plan`, small', hsw(folder, 'plan'), small],
      ['`sync now` with nothing new, small', hsw(folder, 'sync', 'now'), small],
      ['`status`', hsw(large, 'status'), service],
      ['`verify`', hsw(large, 'verify'), service],
      ['`verify --deep`', hsw(large, 'verify', '--deep'), service],
    ];
    const measured = [];
    for (const [name, command, from] of commands) {
      await from.requests();
      const costs = [];
      for (let run = 0; run < runs; run++)
        costs.push({ ...(await measure(command)).cost, requests: await from.requests() });
      measured.push({ name, ...medianCost(costs) });
    }
    return {
      eventLoop: await watchEventLoop(service, top),
      daemon: await measureDaemon(service.url, top, { key: KEY, seconds }),
      commands: measured,
      bytesARating: bytesARating(join(large, 'w.db')),
    };
  } finally {
    small.stop();
  }
}

/** Those that take at least a tenth of a byte, and all of them together. */
function bytesARating(path: string): OwnResults['bytesARating'] {
  const db = new Database(path, { readonly: true });
  const sql = `SELECT name, sum(pgsize) * 1.0 / (SELECT count(*) FROM ratings_continuous) AS bytes
    FROM dbstat GROUP BY name ORDER BY bytes DESC`;
  const parts = db.prepare<[], { name: string; bytes: number }>(sql).all();
  db.close();
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return [{ name: 'all', bytes: all }, ...parts.filter(({ bytes }) => bytes >= 0.1)];
}

/** A first read more, as watching the loop costs something itself. */
async function watchEventLoop(service: Service, top: string): Promise<OwnResults['eventLoop']> {
  const folder = join(top, 'watched');
  ours.prepare(folder, service.url);
  const { env, ...command } = ours.command('read', folder, service.url);
  const preload = join(import.meta.dirname, 'event-loop.ts');
  await measure({ ...command, env: { ...env, NODE_OPTIONS: `--import ${preload}` } });
  return JSON.parse(readFileSync(join(folder, 'event-loop.json'), 'utf8')) as OwnResults['eventLoop'];
}
