/** Loaded before a command with `--import`: writes how long its event loop was blocked into `event-loop.json`. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('exit', () => {
  const ms = (ns: number) => ns / 1e6;
  writeFileSync('event-loop.json', JSON.stringify({ p99Ms: ms(delay.percentile(99)), maxMs: ms(delay.max) }));
});
