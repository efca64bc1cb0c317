import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clockTime } from '../../../src/cli/clock-time.ts';
import { showProgress } from '../../../src/cli/sync-progress.ts';
import { outputTo } from '../../../src/cli/terminal.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { MINUTE_MS as MINUTE } from '../../../src/shared/time.ts';

const NOW = new Date(2026, 2, 4, 14, 0, 7).getTime();
const TALLY = { done: 317, of: 1320, hour: { used: 214, allowed: 900 }, doneAt: NOW + 160 * MINUTE };

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

/** A terminal of that width, or a file, and what is written to it. */
function screen(columns?: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: columns !== undefined, columns }) as unknown;
  let text = '';
  (stream as PassThrough).on('data', (chunk: Buffer) => (text += chunk.toString()));
  const shown = showProgress(outputTo(stream as NodeJS.WriteStream), 'auto');
  // eslint-disable-next-line no-control-regex -- what moves the cursor
  const lines = () => text.split(/\x1b\[[?\d]*[A-Za-z]|[\r\n]/).filter((line) => line.trim() !== '');
  const now = () => {
    vi.advanceTimersByTime(200);
    return lines().at(-1);
  };
  return { shown, lines, now };
}

it('a terminal shows the streams, the requests of the hour and the end in one line', () => {
  const { shown, now } = screen(100);
  shown.tally(TALLY);
  expect(now()).toBe('317 of 1,320 · 214 of 900 this hour · about 16:40');
  shown.page(
    { experimentId: 'exp_1', dataset: datasetNamed('events'), scope: { kind: 'experiment' } },
    { fetched: 3000, total: 12_000 },
  );
  expect(now()).toMatch(/^317 of 1,320 · 214 of 900 this hour · about 16:40 · .*: 3,000 of 12,000$/);
  shown.tally({ ...TALLY, done: 1320 });
  expect(now()).toMatch(/^1,320 of 1,320 · 214 of 900 this hour · [^a]/);
  shown.stop();
});

it('a terminal says until when it waits, and stops saying so when that is over', () => {
  const { shown, now } = screen(80);
  shown.tally(TALLY);
  shown.wait({ endpoint: 'events', limit: 'hour', waitMs: 20 * MINUTE });
  expect(now()).toBe('317 of 1,320 · waiting until 14:20 for the hourly limit · about 16:40');
  vi.setSystemTime(NOW + 21 * MINUTE);
  shown.tally({ ...TALLY, done: 318 });
  expect(now()).toBe('318 of 1,320 · 214 of 900 this hour · about 16:40');
  shown.stop();
});

it('a terminal says that a sync waits although nothing is known yet, and a narrow line is never broken', () => {
  const { shown, now } = screen(40);
  shown.wait({ endpoint: 'experiments', limit: 'minute', waitMs: 20_000 });
  expect(now()).toBe('Starting · waiting until 14:00:27');
  shown.tally(TALLY);
  expect(now()).toBe('317 of 1,320 · waiting until 14:00:27');
  shown.stop();
});

it('a file gets lines: each wait once, and twice a minute how far it is', () => {
  const { shown, lines } = screen();
  shown.tally(TALLY);
  for (const data of ['events', 'chat']) shown.wait({ endpoint: data, limit: 'hour', waitMs: 20 * MINUTE });
  shown.wait({ endpoint: 'chat', limit: 'minute', waitMs: 12_000 });
  vi.advanceTimersByTime(MINUTE / 2);
  shown.tally(TALLY);
  shown.tally(TALLY);
  expect(lines()).toEqual([
    '… waiting until 14:20 for the hourly limit (20 min)',
    '… waiting until 14:00:19 for the per-minute limit of chat (12 s)',
    '… 317 of 1,320 · 214 of 900 this hour · about 16:40',
  ]);
});

it('the progress of a sync names the day on which it continues if that is not today', () => {
  expect(clockTime(new Date(2026, 2, 5, 3, 9).getTime(), 'minutes', NOW)).toBe('5 Mar 03:09');
});
