import { cursorTo, clearScreenDown } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from './terminal.ts';

/** How often a screen is drawn again, and how often a log gets another report (milliseconds). */
const EVERY = { screen: 2000, log: 60_000 } as const;

/**
 * Shows a report again and again until it is interrupted: on a terminal in one place, elsewhere one below the other.
 * @param report makes the report of the moment.
 */
export async function watch(out: Output, signal: AbortSignal, report: () => Promise<string>): Promise<void> {
  const isScreen = out.stream.isTTY;
  for (;;) {
    const text = await report();
    if (isScreen) {
      cursorTo(out.stream, 0, 0);
      clearScreenDown(out.stream);
      out.write(fitted(text, out.stream.rows));
    } else out.write(`${text}\n`);
    try {
      await sleep(isScreen ? EVERY.screen : EVERY.log, undefined, { signal });
    } catch {
      return;
    }
  }
}

/** As many lines as the screen has, so that it does not scroll. */
function fitted(text: string, rows: number): string {
  const lines = text.trimEnd().split('\n');
  return lines.length < rows ? `${lines.join('\n')}\n` : `${lines.slice(0, Math.max(rows - 2, 1)).join('\n')}\n…\n`;
}
