import type { Code } from '../shared/errors.ts';
import type { Issue } from '../status/issue.ts';

/** Why the process counts as stuck; undefined if it does not. */
export function stalled(issues: readonly Issue[]): string | undefined {
  return issues.find(({ code }) => code === 'STALLED')?.text;
}

const UNREADY: ReadonlySet<Code> = new Set(['KEY_REFUSED', 'NOT_READ_YET']);

/** Why the warehouse cannot be relied on yet; empty if the key works and each stream was read at least once. */
export function unreadiness(issues: readonly Issue[]): string[] {
  return issues.filter(({ code }) => UNREADY.has(code)).map(({ text }) => text);
}
