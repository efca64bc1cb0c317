import { MultiBar } from 'cli-progress';
import type { LimitWait } from '../control/protocol.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import { cleanLine, cleanText } from '../shared/clean-text.ts';
import { count, counted } from '../shared/count.ts';
import { formatDuration, MINUTE_MS } from '../shared/time.ts';
import type { StreamResult } from '../sync/stream.ts';
import type { Tally } from '../sync/tally.ts';
import { clockTime } from './clock-time.ts';
import type { Output } from './terminal.ts';

/** Shows a sync while it runs. */
export interface Progress {
  readonly tally: (tally: Tally) => void;
  readonly page: (stream: Stream, at: { fetched: number; total: number | undefined }) => void;
  readonly stream: (event: { stream: Stream; result?: StreamResult }) => void;
  readonly wait: (wait: LimitWait) => void;
  readonly warn: (text: string) => void;
  readonly stop: () => void;
}

/** One line on a terminal, a line for each finished stream elsewhere, nothing with `--json`. */
export function showProgress(out: Output, mode: 'silent' | 'auto'): Progress {
  const nothing = () => undefined;
  if (mode === 'silent')
    return { tally: nothing, page: nothing, stream: nothing, wait: nothing, warn: nothing, stop: nothing };
  return out.stream.isTTY ? oneLine(out.stream) : lines(out);
}

/** How often lines that stay say how far it is. */
const TALLY_MS = MINUTE_MS / 2;

function lines(out: Output): Progress {
  const wait = tellWaits(out);
  let toldAt = Date.now();
  return {
    tally(tally) {
      if (Date.now() - toldAt < TALLY_MS) return;
      toldAt = Date.now();
      out.write(`… ${tallyParts(tally).join(' · ')}\n`);
    },
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
    wait,
    warn: (text) => out.write(`! ${text}\n`),
    stop: () => undefined,
  };
}

/** Writes a line for each wait; requests that wait for the same limit share one. */
export function tellWaits(out: Output): Progress['wait'] {
  const told = new Map<string, number>();
  return (wait) => {
    if ((told.get(wait.limit) ?? 0) > Date.now()) return;
    told.set(wait.limit, Date.now() + wait.waitMs);
    out.write(`… ${cleanLine(waitText(wait))} (${formatDuration(wait.waitMs)})\n`);
  };
}

/** One line that is rewritten, and above it what failed. */
function oneLine(out: NodeJS.WriteStream): Progress {
  const shown = new MultiBar({ stream: out, format: '{line}', hideCursor: true, clearOnComplete: true, fps: 10 });
  const bar = shown.create(1, 0, { line: 'Looking up what there is to read' });
  let tally: Tally | undefined;
  let waiting: { texts: readonly string[]; until: number } | undefined;
  let page: string | undefined;
  const show = () => {
    const [done = 'Starting', hour, end] = tally === undefined ? [] : tallyParts(tally);
    const isWaiting = waiting !== undefined && waiting.until > Date.now();
    const parts = isWaiting ? [[done], waiting?.texts ?? [], [end]] : [[done], [hour], [end], [page]];
    bar.update(0, { line: fitting(parts, out.columns) });
  };
  return {
    tally(now) {
      tally = now;
      show();
    },
    page(stream, { fetched, total }) {
      page = `${streamText(stream)}: ${count(fetched)}${total === undefined ? '' : ` of ${count(Math.max(total, fetched))}`}`;
      show();
    },
    stream({ result }) {
      if (result === undefined) return;
      page = undefined;
      if (result.status === 'failed' || result.status === 'skipped')
        shown.log(`✗ ${cleanText(result.error?.message ?? result.data)}\n`);
      show();
    },
    wait(wait) {
      waiting = { texts: [waitText(wait), untilText(wait)], until: Date.now() + wait.waitMs };
      show();
    },
    warn: (text) => shown.log(`! ${cleanText(text)}\n`),
    stop: () => shown.stop(),
  };
}

/** As many of the parts as fit into a line, the first ones first, each in the first of its wordings that fits. */
function fitting(parts: readonly (readonly (string | undefined)[])[], columns: number): string {
  return parts
    .map((wordings) => wordings.filter((text) => text !== undefined).map(cleanLine))
    .reduce((line, wordings) => {
      const wording = wordings.find((text) => line.length + text.length + 3 < columns);
      if (line === '') return wordings[0] ?? '';
      return wording === undefined ? line : `${line} · ${wording}`;
    }, '');
}

/** `317 of 1,320`, `214 of 900 this hour`, `about 16:40`. */
function tallyParts({ done, of, hour, doneAt }: Tally): string[] {
  return [
    `${count(done)} of ${count(of)}`,
    `${count(hour.used)} of ${count(hour.allowed)} this hour`,
    ...(done < of ? [`about ${clockTime(doneAt)}`] : []),
  ];
}

function waitText(wait: LimitWait): string {
  const why =
    wait.limit === 'minute'
      ? `the per-minute limit of ${wait.endpoint}`
      : wait.limit === 'hour'
        ? 'the hourly limit'
        : 'the delay that the API asked for';
  return `${untilText(wait)} for ${why}`;
}

function untilText({ waitMs }: LimitWait): string {
  return `waiting until ${clockTime(Date.now() + waitMs, waitMs < 5 * MINUTE_MS ? 'seconds' : 'minutes')}`;
}
