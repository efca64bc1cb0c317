import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { PROCESS } from './command.ts';
import { ENVIRONMENT, type Pace } from './fast-clock.mjs';

const CLOCK = join(import.meta.dirname, 'fast-clock-of-daemon.mjs');
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const Ready = z.object({ http: z.string().nullable() });

/** Starts a real daemon in a process of its own, on a fast clock; it is ready when this resolves. */
export async function startFastDaemon(cwd: string, pace: Pace, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--import', CLOCK, MAIN, 'daemon', '--json'], {
    cwd,
    env: { ...PROCESS, [ENVIRONMENT]: JSON.stringify(pace), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [log, shown] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const http = await new Promise<string | null>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      resolve(Ready.parse(JSON.parse(chunk.toString())).http);
    });
    void ended.then((status) => reject(new Error(`the daemon ended with ${String(status)}: ${log}`)));
  });
  return { child, ended, http, log: () => log, shown: () => shown };
}
