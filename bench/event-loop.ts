/**
 * Loaded before a command with `--import`: writes how long its own work blocked its event loop into `event-loop.json`.
 * It is the thread's CPU time between two turns, so that other programs on the machine do not count. SIGUSR2 begins again.
 */
import { writeFileSync } from 'node:fs';

const turns: number[] = [];
const used = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
let before = used();
setInterval(() => {
  const now = used();
  turns.push(now - before);
  before = now;
}, 1).unref();
process.on('SIGUSR2', () => (turns.length = 0));
process.on('exit', () => {
  turns.push(used() - before);
  const sorted = turns.sort((a, b) => a - b);
  const p99Ms = sorted[Math.floor(0.99 * (sorted.length - 1))];
  writeFileSync('event-loop.json', JSON.stringify({ p99Ms, maxMs: sorted.at(-1) }));
});
