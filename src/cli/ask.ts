import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import { cleanLine, cleanText } from '../shared/clean-text.ts';
import type { CommandContext } from './context.ts';

export type Ask = (question: string, options?: { hidden: boolean }) => Promise<string>;

/** Asks on the terminal, not on stdout, which holds one document; the answer to a hidden question is not shown. */
export function askOn({ stdin, stderr, signal }: CommandContext): Ask {
  return async (question, { hidden } = { hidden: false }) => {
    const shown = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!hidden) stderr.stream.write(chunk);
        done();
      },
    });
    const asked = cleanText(question);
    if (hidden) stderr.write(asked);
    const lines = createInterface({ input: stdin, output: shown, terminal: true });
    // Ctrl-C and Ctrl-D close it; older versions of Node then never settle the question.
    const closed = new AbortController();
    lines.once('close', () => closed.abort());
    try {
      return (await lines.question(hidden ? '' : asked, { signal: AbortSignal.any([signal, closed.signal]) })).trim();
    } catch (cause) {
      throw new WarehouseError('INTERRUPTED', 'Interrupted. Nothing was written.', { cause });
    } finally {
      lines.close();
      if (hidden) stderr.write('\n');
    }
  };
}

const SLIPS: readonly ErrorCode[] = ['USAGE', 'CONFIG_INVALID', 'KEY_MISSING', 'KEY_REFUSED'];
const MORE_TRIES = 2;

/**
 * Says what is wrong with an answer and asks again, so that a slip at the last question costs not all of them.
 * @param isTyped whether a person answers; what a flag or a file says is the same the next time.
 */
export async function askAgain<T>(
  { stderr }: Pick<CommandContext, 'stderr'>,
  isTyped: boolean,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let left = isTyped ? MORE_TRIES : 0; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !(error instanceof WarehouseError) || !SLIPS.includes(error.code)) throw error;
      const hint = error.hint === undefined ? '' : `  ${cleanLine(error.hint)}\n`;
      stderr.write(`✗ ${cleanLine(error.message)}\n${hint}`);
    }
  }
}
