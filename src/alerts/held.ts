import type { Hush, Issue } from '../status/issue.ts';
import { kindOf } from './kinds.ts';

/** What an alert follows by itself: an issue, or one of the streams that it affects. */
export interface Held {
  readonly id: string;
  /** What is due together makes one message. */
  readonly group: string;
  readonly issue: Issue;
  readonly since: number | undefined;
  /** It keeps an alert open and begins none. */
  readonly isQuiet: boolean;
}

/** What holds now, each thing by its id. */
export function heldIn(issues: readonly Issue[]): Map<string, Held> {
  const held = issues.filter(({ alert }) => alert !== 'never').flatMap(partsOf);
  return new Map(held.map((one) => [one.id, one]));
}

function partsOf(issue: Issue): Held[] {
  const { id, code, alert, scope } = issue;
  const group = alert === 'as news' ? kindOf(code) : id;
  const { streams = [] } = scope;
  const parts: readonly Pick<Issue, 'id' | 'since' | 'hush'>[] = streams.length === 0 ? [issue] : streams;
  return parts.map((part) => ({
    id: part.id,
    group,
    issue,
    since: part.since,
    isQuiet: [issue.hush, part.hush].some((hush: Hush | undefined) => hush !== undefined),
  }));
}
