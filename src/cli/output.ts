import { MultiBar } from 'cli-progress';
import Table from 'cli-table3';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { StreamResult } from '../sync/stream.ts';
import { cleanLine, cleanText } from '../shared/clean-text.ts';
import { count, counted } from '../shared/count.ts';
import { formatDuration } from '../shared/time.ts';
import type { Output } from './terminal.ts';

/**
 * A table for a terminal or a log file: the first row is the heading.
 * @param isNumber which columns are right-aligned; by default those that hold only numbers.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  isNumber = heading.map((_, column) => rows.every((row) => typeof row[column] === 'number')),
): string {
  const made = new Table({
    head: [...heading],
    colAligns: isNumber.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: '  ',
    },
  });
  made.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cleanLine(cell)))));
  return made.toString();
}

/** Shows a sync while it runs. */
export interface Progress {
  readonly page: (stream: Stream, at: { fetched: number; total: number | undefined }) => void;
  readonly stream: (event: { stream: Stream; result?: StreamResult }) => void;
  readonly wait: (wait: { endpoint: string; waitMs: number; limit: string }) => void;
  readonly warn: (text: string) => void;
  readonly stop: () => void;
}

/** Bars on a terminal, a line for each finished stream elsewhere, nothing with `--json`. */
export function showProgress(out: Output, mode: 'silent' | 'auto'): Progress {
  const nothing = () => undefined;
  if (mode === 'silent') return { page: nothing, stream: nothing, wait: nothing, warn: nothing, stop: nothing };
  return out.stream.isTTY ? bars(out.stream) : lines(out);
}

function lines(out: Output): Progress {
  const told = new Map<string, number>();
  return {
    page: () => undefined,
    stream({ stream, result }) {
      if (result === undefined) return;
      const mark = result.status === 'ok' ? '✓' : result.status === 'skipped' ? '–' : '✗';
      const what =
        result.error?.message ??
        `${count(result.fetched)} fetched, ${count(result.inserted)} new, ${count(result.updated)} changed, ${count(result.deleted)} deleted, ${counted(result.requests, 'request')}`;
      const doubt = result.status === 'incomplete' ? ' – may be incomplete' : '';
      out.write(`${cleanLine(`${mark} ${streamText(stream)}: ${what}${doubt}`)}\n`);
    },
    wait({ endpoint, waitMs, limit }) {
      // Streams that wait for the same limit share one line.
      const until = Date.now() + waitMs;
      if ((told.get(limit) ?? 0) > Date.now()) return;
      told.set(limit, until);
      out.write(`… ${waitText(endpoint, waitMs, limit)}\n`);
    },
    warn: (text) => out.write(`! ${text}\n`),
    stop: () => undefined,
  };
}

function bars(out: NodeJS.WriteStream): Progress {
  const shown = new MultiBar({
    stream: out,
    format: ' {bar} {value} {name}',
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    fps: 10,
  });
  const byStream = new Map<Stream, ReturnType<typeof shown.create>>();
  return {
    page(stream, { fetched, total }) {
      const bar = byStream.get(stream);
      bar?.setTotal(Math.max(total ?? fetched, fetched, 1));
      bar?.update(fetched, { name: streamText(stream) });
    },
    stream({ stream, result }) {
      if (result === undefined) {
        byStream.set(stream, shown.create(1, 0, { name: streamText(stream) }));
        return;
      }
      const bar = byStream.get(stream);
      if (bar !== undefined) shown.remove(bar);
      if (result.status === 'failed' || result.status === 'skipped')
        shown.log(`✗ ${cleanText(result.error?.message ?? streamText(stream))}\n`);
    },
    wait: ({ endpoint, waitMs, limit }) => shown.log(`… ${waitText(endpoint, waitMs, limit)}\n`),
    warn: (text) => shown.log(`! ${cleanText(text)}\n`),
    stop: () => shown.stop(),
  };
}

function waitText(endpoint: string, waitMs: number, limit: string): string {
  const why =
    limit === 'minute'
      ? `the per-minute limit of ${endpoint}`
      : limit === 'hour'
        ? 'the hourly limit'
        : 'the delay that the API asked for';
  return `waiting ${formatDuration(waitMs)} for ${why}`;
}
