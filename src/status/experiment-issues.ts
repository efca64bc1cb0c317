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

/** What is wrong with the list of experiments and with whole experiments, and what is not followed any more. */
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
    subject: isEmpty ? 'The key cannot see any experiment' : 'The list of experiments may lack some',
    text: message,
    hint,
    ended: isEmpty ? 'The key sees experiments again' : 'The list of experiments is whole again',
    alert: isEmpty ? 'when it lasts' : 'never',
    hush: isHalted(snapshot) ? 'explained' : undefined,
  };
}

/** When it left the list is not known; it was there when it was last read. */
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
    // It is not read any more, so that only what keeps everything from being read speaks against telling it.
    hush: seesNothing(snapshot) ? 'explained' : isHalted(snapshot) ? 'old' : undefined,
  };
}

/** The most streams that one text names; how many more there are is said. */
const NAMED = 3;
/** Streams that no read is awaited of. */
const NOT_AWAITED: ReadonlySet<Standing> = new Set(['skipped', 'gone']);

/** What keeps the warehouse from being relied on yet. */
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
      subject: isNothing ? 'No experiment is known yet' : 'Not everything was read yet',
      text: isNothing
        ? 'No experiment is known yet.'
        : `${unread.length} of ${awaited.length} streams were not read yet: ${names}${more}.`,
      hint: 'The next sync reads what is left; `hsw plan` says how long it takes.',
      ended: 'Everything was read',
      alert: 'never',
    },
  ];
}

/**
 * A pass of the nightly reconcile takes 28 nights and is dated by its beginning, so that a stream's date is up to two
 * passes old; what is older by some days was not reached.
 */
const LONGEST_UNCOMPARED_MS = 60 * DAY_MS;
/** Streams that cannot be compared any more. */
const NOT_COMPARED: ReadonlySet<Standing> = new Set(['skipped', 'lost', 'gone', 'unconfigured']);

/** Streams that nothing has compared whole for long; without the daemon nothing does so by itself. */
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
      subject: `${counted(late.length, 'stream')} ${late.length === 1 ? 'was' : 'were'} last compared whole with the API more than 60 days ago`,
      text: `The oldest is ${nameOf(oldest)}: ${formatMinute(oldest.verifiedAt ?? now)}. What changed in old rows since then may be missing.`,
      hint: `${why} To compare everything now: hsw verify --deep --repair`,
      ended: 'Everything was compared with the API',
      alert: 'never',
    },
  ];
}

/** What the configuration no longer asks for: once for each experiment. */
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
      text: `They are not read any more; ${count(rows)} rows of them are kept.`,
      hint: 'Name the data type in the config again (data) to go on reading it.',
      ended: `All data of ${id} are configured again`,
      alert: 'never',
    };
  });
}

function affected(stream: StreamView) {
  return { id: `unconfigured:${idOf(stream)}`, name: partOf(stream), since: undefined };
}
