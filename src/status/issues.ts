import { passesByItself } from '../shared/errors.ts';
import { experimentIssues } from './experiment-issues.ts';
import { isOfEverything, type Issue, type Severity } from './issue.ts';
import { keyIssues, refusedIssues } from './key-issues.ts';
import { mediaIssues } from './media-issues.ts';
import { outageIssues, runningIssues } from './running-issues.ts';
import { schemaIssues } from './schema-issues.ts';
import type { Snapshot } from './snapshot.ts';
import { streamIssues } from './stream-issues.ts';
import { warehouseIssues } from './warehouse-issues.ts';

/** Everything that is wrong now, most urgent first: every place that reports issues renders these. */
export function issuesOf(snapshot: Snapshot): Issue[] {
  const found = [
    keyIssues,
    runningIssues,
    warehouseIssues,
    experimentIssues,
    streamIssues,
    schemaIssues,
    mediaIssues,
  ].flatMap((find) => find(snapshot));
  return found.sort((a, b) => rank(a) - rank(b));
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

/** Of equal severity, first what affects everything, then what a person has to fix. */
function rank(issue: Issue): number {
  const isOfSome = Number(!isOfEverything(issue));
  return 4 * SEVERITIES.indexOf(issue.severity) + 2 * isOfSome + Number(passesByItself(issue.code));
}

/** What keeps everything from being read, in sentences; undefined if nothing does. */
export function haltedLine(known: Pick<Snapshot, 'outage' | 'keyRefused' | 'now'>): string | undefined {
  return [...refusedIssues(known), ...outageIssues(known)][0]?.text;
}
