import { count, counted } from '../shared/count.ts';
import { formatMinute, DAY_MS } from '../shared/time.ts';
import { goneIssue, type ListIssue } from '../warehouse/experiment-list.ts';
import type { Standing } from '../warehouse/standing.ts';
import type { Issue } from './issue.ts';
import {
  isHalted,
  latestRead,
  seesNothing,
  streamsIn,
  type ExperimentView,
  type Snapshot,
  type StreamView,
} from './snapshot.ts';
import { idOf, nameOf, partOf } from './stream-name.ts';
import { wasRead } from './summary.ts';

/** What is wrong with the list of experiments and with whole experiments, and what is no longer read. */
export function experimentIssues(snapshot: Snapshot): Issue[] {
  return [
    ...snapshot.list.map((issue) => listIssue(issue, snapshot)),
    ...snapshot.experiments.filter(({ isGone }) => isGone).map((experiment) => goneIssueOf(experiment, snapshot)),
    ...unreadIssues(snapshot),
    ...uncomparedIssues(snapshot),
    ...unconfiguredIssues(snapshot),
  ];
}

function listIssue(
  { code, message, hint, since }: ListIssue & { readonly since?: number | undefined },
  snapshot: Snapshot,
): Issue {
  const isEmpty = code === 'NO_EXPERIMENTS';
  return {
    id: isEmpty ? 'no-experiments' : 'list-incomplete',
    code,
    severity: isEmpty ? 'error' : 'warning',
    since,
    scope: {},
    subject: isEmpty ? 'The key cannot see any experiment' : 'The list of experiments may be incomplete',
    text: message,
    hint,
    ended: isEmpty ? 'The key can see experiments again' : 'The list of experiments is complete again',
    alert: isEmpty ? 'when it lasts' : 'never',
    suppressed: isHalted(snapshot) ? 'explained' : undefined,
  };
}

/** When it left the list is not known; it was still there when it was last read. */
function goneIssueOf({ id, streams }: ExperimentView, snapshot: Snapshot): Issue {
  const { code, message, hint } = goneIssue(id);
  const since = latestRead(streams);
  return {
    id: `gone:${id}`,
    code,
    severity: 'error',
    since,
    scope: {
      experiment: id,
      streams: streams.map((stream) => ({ id: `stream:${idOf(stream)}`, name: partOf(stream), since })),
    },
    subject: `${id} can no longer be found with this key`,
    text: since === undefined ? message : `${message} They are as of ${formatMinute(since)}.`,
    hint,
    ended: `${id} can be found again`,
    alert: 'when it lasts',
    // It is no longer read, so the time of its last read does not matter.
    suppressed: seesNothing(snapshot) ? 'explained' : isHalted(snapshot) ? 'old' : undefined,
  };
}

/** The most streams that one text names; of the others it gives the number. */
const NAMED = 3;
/** Streams of which no read is expected. */
const NOT_AWAITED: ReadonlySet<Standing> = new Set(['skipped', 'gone']);

/** Why the warehouse cannot be relied on yet. */
function unreadIssues(snapshot: Snapshot): Issue[] {
  const awaited = streamsIn(snapshot).filter(({ standing }) => !NOT_AWAITED.has(standing));
  const unread = awaited.filter((stream) => !wasRead(stream));
  const isNothing = snapshot.experiments.length === 0;
  if (unread.length === 0 && !isNothing) return [];
  const more = unread.length > NAMED ? ` and ${unread.length - NAMED} more` : '';
  const names = unread.slice(0, NAMED).map(nameOf).join(', ');
  return [
    {
      id: 'unread',
      code: 'NOT_READ_YET',
      severity: 'note',
      since: undefined,
      scope: {},
      subject: isNothing ? 'No experiment is known yet' : 'Not everything has been read yet',
      text: isNothing
        ? 'No experiment is known yet.'
        : `${unread.length} of ${awaited.length} streams have not been read yet: ${names}${more}.`,
      hint: 'The next sync reads what is left; `hsw plan` shows how long that takes.',
      ended: 'Everything has been read',
      alert: 'never',
    },
  ];
}

/**
 * A pass of the nightly reconcile takes 28 nights and is dated by its start, so a stream's date may be up to two passes
 * old; a date that is some days older shows that the reconcile did not reach the stream.
 */
const LONGEST_UNCOMPARED_MS = 60 * DAY_MS;
/** Streams that can no longer be compared. */
const NOT_COMPARED: ReadonlySet<Standing> = new Set(['skipped', 'lost', 'gone', 'unconfigured']);

/** Streams that have not been compared as a whole for long; only the daemon does so by itself. */
function uncomparedIssues(snapshot: Snapshot): Issue[] {
  const { now, comparing } = snapshot;
  const late = streamsIn(snapshot)
    .filter(
      ({ standing, verifiedAt }) => !NOT_COMPARED.has(standing) && now - (verifiedAt ?? now) > LONGEST_UNCOMPARED_MS,
    )
    .sort((a, b) => (a.verifiedAt ?? 0) - (b.verifiedAt ?? 0));
  const [oldest] = late;
  if (oldest === undefined) return [];
  const why =
    comparing === undefined
      ? 'Only the daemon compares old rows by itself, every night.'
      : `The nightly reconcile does not keep up: raise reconcile.budgetShare in the config (now ${comparing}).`;
  return [
    {
      id: 'uncompared',
      code: 'NOT_COMPARED',
      severity: 'warning',
      since: (oldest.verifiedAt ?? now) + LONGEST_UNCOMPARED_MS,
      scope: {},
      subject: `${counted(late.length, 'stream')} ${late.length === 1 ? 'was' : 'were'} last fully compared with the API more than 60 days ago`,
      text: `The oldest is ${nameOf(oldest)}: ${formatMinute(oldest.verifiedAt ?? now)}. Later changes of old rows may be missing.`,
      hint: `${why} To compare everything now: hsw verify --deep --repair`,
      ended: 'Everything was compared with the API',
      alert: 'never',
    },
  ];
}

/** Data types that are no longer configured: one issue for each experiment. */
function unconfiguredIssues({ unconfigured }: Snapshot): Issue[] {
  return [...Map.groupBy(unconfigured, ({ experimentId }) => experimentId)].map(([id, streams]) => {
    const rows = streams.reduce((sum, stream) => sum + stream.rows, 0);
    return {
      id: `unconfigured:${id}`,
      code: 'NOT_CONFIGURED',
      severity: 'note',
      since: undefined,
      scope: { experiment: id, streams: streams.map(affected) },
      subject: `Some data of ${id} are no longer configured`,
      text: `They are no longer read; their ${count(rows)} rows are kept.`,
      hint: 'To read them again, add the data type to the configuration (data).',
      ended: `All data of ${id} are configured again`,
      alert: 'never',
    };
  });
}

function affected(stream: StreamView) {
  return { id: `unconfigured:${idOf(stream)}`, name: partOf(stream), since: undefined };
}
