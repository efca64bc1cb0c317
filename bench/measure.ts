/** What a command costs, its child processes included, as the kernel counts it. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface Cost {
  readonly requests: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** The most memory that one process of the command held, in MB. */
  readonly maxRssMb: number;
  /** What was given to write(2) and its like, pipes included, in MB. */
  readonly writtenMb: number;
  /** What of that was sent to a disk, in MB; 0 on a file system in memory. */
  readonly toDiskMb: number;
}

export interface Command {
  readonly run: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit statuses that are no failure, besides 0. */
  readonly statuses?: readonly number[];
  /** What it reads from stdin. */
  readonly input?: string;
}

const SAMPLE_MS = 25;
const MB = 1024 ** 2;
/** The kernel's clock tick, which Linux fixes for what it shows to programs. */
const TICKS_PER_SECOND = 100;

/** Runs a command to its end. @throws Error if it fails, with what it said. */
export async function measure(
  command: Command,
): Promise<{ readonly cost: Omit<Cost, 'requests'>; readonly stdout: string }> {
  const before = ended();
  const began = performance.now();
  const [file, ...args] = command.run;
  const child = spawn(file, args, {
    cwd: command.cwd,
    env: { PATH: process.env['PATH'], HOME: command.cwd, ...command.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr, maxRssMb] = ['', '', 0];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(command.input ?? '');
  const timer = setInterval(() => (maxRssMb = Math.max(maxRssMb, mostMemory(child.pid))), SAMPLE_MS);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const wallSeconds = (performance.now() - began) / 1000;
  if (status !== 0 && command.statuses?.includes(status ?? NaN) !== true)
    throw new Error(`${command.run.join(' ')} ended with ${String(status)}: ${stderr.slice(-2000)}`);
  const after = ended();
  return {
    stdout,
    cost: {
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      wallSeconds,
      maxRssMb,
      writtenMb: (after.written - before.written) / MB,
      toDiskMb: (after.toDisk - before.toDisk) / MB,
    },
  };
}

/** What the processes that ended had used: the kernel adds it to that of their parent, which is this process. */
function ended() {
  const io = readFileSync('/proc/self/io', 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  const [user = 0, system = 0] = fields.slice(13, 15);
  return {
    cpuSeconds: (user + system) / TICKS_PER_SECOND,
    written: number('wchar'),
    toDisk: number('write_bytes'),
  };
}

/** The peak of memory so far, of the process among these that holds most; 0 when they have ended. */
function mostMemory(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return Math.max(Number(peak) / 1024, ...children.map(mostMemory));
  } catch {
    return 0;
  }
}
