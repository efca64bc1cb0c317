/** `npm run check`: all its parts, as many at a time as there are processors. What a part prints comes when it has ended. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The longest first. */
const PARTS = ['lint', 'types', 'exports', 'rooms', 'docs', 'format'];

function run(part: string): Promise<{ readonly status: number | null; readonly printed: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', `check:${part}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.on('error', reject).on('close', (status) => resolve({ status, printed }));
  });
}

const waiting = PARTS.values();
async function work(): Promise<void> {
  for (const part of waiting) {
    const began = Date.now();
    const { status, printed } = await run(part);
    const seconds = Math.round((Date.now() - began) / 1000);
    process.stdout.write(`${printed}check:${part} ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`);
    if (status !== 0) process.exitCode = 1;
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
