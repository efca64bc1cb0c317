import { html } from 'hono/html';
import { formatDuration, formatTime } from '../../shared/time.ts';
import type { Severity } from '../../status/issue.ts';
import type { StreamState } from '../../status/summary.ts';

/** Escaped markup, as `html` makes it from a template. */
export type Html = ReturnType<typeof html>;

export const NOTHING: Html = html``;

/** Bytes for people: `512 B`, `4.1 MB`, `212 GB`. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${units[step] ?? ''}`;
}

/** `now`, `12 s`, `3 min` */
export function age(ms: number): string {
  return ms < 1000 ? 'now' : formatDuration(ms);
}

/** How long ago a time was; the time itself is in the title. */
export function ago(at: number, now: number): Html {
  return time(at, now - at < 1000 ? 'now' : `${formatDuration(now - at)} ago`);
}

/** How long until a time in the future. */
export function until(at: number, now: number): Html {
  return time(at, at <= now ? 'due' : `in ${formatDuration(at - now)}`);
}

function time(at: number, text: string): Html {
  return html`<time datetime="${formatTime(at)}" title="${clockTime(at)}">${text}</time>`;
}

/** `2026-11-23 14:02:05 UTC` */
export function clockTime(at: number): string {
  return `${formatTime(at).slice(0, 19).replace('T', ' ')} UTC`;
}

/** When the daemon reads, in words; a cron expression without simple words stays as it is. */
export function schedule(cron: string): string {
  if (cron === 'adaptive') return 'active experiments most often';
  const everyMinutes = /^\*\/(\d+) \* \* \* \*$/.exec(cron)?.[1];
  if (everyMinutes !== undefined) return `every ${everyMinutes} minutes`;
  if (cron === '* * * * *') return 'every minute';
  const minute = /^(\d+) \* \* \* \*$/.exec(cron)?.[1];
  return minute === undefined ? cron : `every hour, at minute ${minute}`;
}

/** The word and the sign of a state: no state is shown by its colour alone. */
export const STATES: Record<StreamState, { readonly sign: string; readonly word: string }> = {
  complete: { sign: '✓', word: 'complete' },
  incomplete: { sign: '!', word: 'incomplete' },
  failed: { sign: '✗', word: 'failed' },
  skipped: { sign: '–', word: 'skipped' },
  unread: { sign: '○', word: 'not read yet' },
};

export function badge(state: StreamState, text: string = STATES[state].word): Html {
  return html`<span class="badge ${state}"><span aria-hidden="true">${STATES[state].sign}</span> ${text}</span>`;
}

/** A filled bar for a share; its figures are shown beside it. */
export function bar(value: number, of: number): Html {
  const share = of <= 0 ? 0 : Math.min(100, Math.max(0, (100 * value) / of));
  return html`<svg
    class="bar${share >= 90 ? ' full' : ''}"
    viewBox="0 0 100 1"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    <rect class="track" width="100" height="1" />
    <rect class="fill" width="${share.toFixed(1)}" height="1" />
  </svg>`;
}

const SIGNS: Record<Severity, string> = { error: '✗', warning: '!', note: '·' };

/** The sign of a severity: none is shown by its colour alone. */
export function signOf(severity: Severity): string {
  return SIGNS[severity];
}
