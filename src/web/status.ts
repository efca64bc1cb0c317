import { formatTime } from '../shared/time.ts';
import { shownOf, type Issue } from '../status/issue.ts';
import { issueInJson } from '../status/issue-json.ts';
import type { ExperimentView, StreamView } from '../status/snapshot.ts';
import type { DaemonView } from '../status/view.ts';

/** The members that are times. */
const TIMES = new Set([
  'startedAt',
  'now',
  'lastProgressAt',
  'refusedAt',
  'since',
  'at',
  'dataAsOf',
  'verifiedAt',
  'nextAt',
  'waitsUntil',
]);

/** The view as JSON text: times in ISO 8601 UTC, and null for what is not known, so that every member is there. */
export function statusJson(view: DaemonView): string {
  return JSON.stringify(membersOf(view), (key, value: unknown) => {
    if (typeof value === 'number' && TIMES.has(key)) return formatTime(value);
    return isRecord(value) ? withNulls(value) : value;
  });
}

/** The members of the public JSON format. */
function membersOf(view: DaemonView) {
  const { version, startedAt, now, lastProgressAt, keyRefused, outage, waitsUntil, schedule, work, growth } = view;
  const { path, walBytes, freeBytes } = view.warehouse;
  const { hour, minute, perMinute, waitsUntil: limitedUntil } = view.budget;
  const issues = shownOf(view.issues);
  return {
    version,
    startedAt,
    now,
    lastProgressAt,
    warehouse: { path, walBytes, freeBytes },
    keyRefused,
    trouble: outage && { since: outage.since, code: outage.code, text: outage.text, hint: outage.hint },
    waitsUntil,
    schedule,
    budget: { hour, minute, perMinute, refusedAt: view.refusal?.at, waitsUntil: limitedUntil },
    work,
    experiments: view.experiments.map(experimentOf),
    problems: [...issues.map(noticeOf(now)), ...view.recent],
    issues: issues.map(issueInJson),
    growth,
  };
}

const noticeOf =
  (now: number) =>
  ({ since = now, code, subject, text, hint }: Issue) => ({ at: since, code, text: `${subject}. ${text}`, hint });

function experimentOf({ id, name, live, streams }: ExperimentView) {
  return { id, name, live, streams: streams.map(streamOf) };
}

function streamOf(stream: StreamView) {
  const { data, scope, rows, complete, standing, reason, dataAsOf, verifiedAt, lastStatus, nextAt } = stream;
  return { data, scope, rows, complete, standing, reason, dataAsOf, verifiedAt, lastStatus, nextAt };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withNulls(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, value === undefined ? null : value]));
}
