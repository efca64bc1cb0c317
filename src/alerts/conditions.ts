import type { Suppression, Issue } from '../status/issue.ts';
import { kindOf } from './kinds.ts';

/** What an alert follows: an issue, or one of the streams that it affects. */
export interface Condition {
  readonly id: string;
  /** Conditions of one group that are due together make one message. */
  readonly group: string;
  readonly issue: Issue;
  readonly since: number | undefined;
  /** It keeps an open alert open, and raises none. */
  readonly isSuppressed: boolean;
}

/** The conditions that hold now, by their ids. */
export function conditionsIn(issues: readonly Issue[]): Map<string, Condition> {
  const held = issues.filter(({ alert }) => alert !== 'never').flatMap(partsOf);
  return new Map(held.map((one) => [one.id, one]));
}

function partsOf(issue: Issue): Condition[] {
  const { id, code, alert, scope } = issue;
  const group = alert === 'once' ? kindOf(code) : id;
  const { streams = [] } = scope;
  const parts: readonly Pick<Issue, 'id' | 'since' | 'suppressed'>[] = streams.length === 0 ? [issue] : streams;
  return parts.map((part) => ({
    id: part.id,
    group,
    issue,
    since: part.since,
    isSuppressed: [issue.suppressed, part.suppressed].some(
      (suppressed: Suppression | undefined) => suppressed !== undefined,
    ),
  }));
}
