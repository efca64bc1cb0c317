import type { Code } from '../shared/errors.ts';
import type { Issue } from '../status/issue.ts';

/** Why the process should be taken for stuck; undefined where it should not. */
export function stalled(issues: readonly Issue[]): string | undefined {
  return issues.find(({ code }) => code === 'STALLED')?.text;
}

const UNREADY: ReadonlySet<Code> = new Set(['KEY_REFUSED', 'NOT_READ_YET']);

/** Why the warehouse should not be relied on yet; empty when the key works and each stream was read at least once. */
export function unreadiness(issues: readonly Issue[]): string[] {
  return issues.filter(({ code }) => UNREADY.has(code)).map(({ text }) => text);
}
