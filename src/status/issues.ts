import { passesByItself } from '../shared/errors.ts';
import { experimentIssues } from './experiment-issues.ts';
import type { Issue, Severity } from './issue.ts';
import { keyIssues, refusedIssues } from './key-issues.ts';
import { outageIssues, runningIssues } from './running-issues.ts';
import type { Snapshot } from './snapshot.ts';
import { streamIssues } from './stream-issues.ts';
import { warehouseIssues } from './warehouse-issues.ts';

/** All that is wrong now, with what is most urgent first: whatever says so renders these. */
export function issuesOf(snapshot: Snapshot): Issue[] {
  const found = [keyIssues, runningIssues, warehouseIssues, experimentIssues, streamIssues].flatMap((find) =>
    find(snapshot),
  );
  return found.sort((a, b) => rank(a) - rank(b));
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

/** Of equal severity first what waits for a person. */
function rank({ severity, code }: Issue): number {
  return 2 * SEVERITIES.indexOf(severity) + Number(passesByItself(code));
}

/** What keeps everything from being read, in sentences; undefined while nothing does. */
export function haltedLine(known: Pick<Snapshot, 'outage' | 'keyRefused' | 'now'>): string | undefined {
  return [...refusedIssues(known), ...outageIssues(known)][0]?.text;
}
