import { formatDuration, formatMinute, HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import { passesByItself } from '../shared/errors.ts';
import type { Issue } from './issue.ts';
import type { OutageState } from './outage.ts';
import { streamsIn, type LiveRoom, type Snapshot } from './snapshot.ts';
import { earliest } from './summary.ts';

/** What is wrong with the work of a running daemon. */
export function runningIssues(snapshot: Snapshot): Issue[] {
  return [
    ...outageIssues(snapshot),
    ...stalledIssues(snapshot),
    ...(snapshot.liveRooms ?? []).flatMap((room) => roomIssues(room, snapshot)),
  ];
}

/** A shorter outage is not reported. */
const BLIP_MS = MINUTE_MS;

/** What keeps everything from being read; a refused key is an issue of its own. */
export function outageIssues({ outage, keyRefused, now }: Pick<Snapshot, 'outage' | 'keyRefused' | 'now'>): Issue[] {
  if (outage === undefined || outage.code === 'KEY_REFUSED') return [];
  if (outage.isOfSync === true) return [lastSyncIssue(outage)];
  const { since, code, text, hint } = outage;
  const isAway = code === 'SERVER_UNREACHABLE';
  const continues = 'The daemon continues by itself once this is over.';
  return [
    {
      id: `halted:${code}`,
      code,
      severity: 'error',
      since,
      scope: {},
      subject: isAway ? 'The API cannot be reached' : 'The warehouse cannot be written',
      text: `${text} Nothing new is read until this is over.`,
      hint: hint === undefined ? continues : passesByItself(code) ? `${continues} If it lasts: ${hint}` : hint,
      ended: isAway ? 'The API can be reached again' : 'The warehouse can be written again',
      alert: 'when it lasts',
      suppressed: keyRefused !== undefined ? 'explained' : now - since < BLIP_MS ? 'brief' : undefined,
    },
  ];
}

/** Without a daemon, nothing tries again before the next sync. */
function lastSyncIssue({ since, code, text, hint = '' }: OutageState): Issue {
  return {
    id: `halted:${code}`,
    code,
    severity: 'error',
    since,
    scope: {},
    subject: 'The last sync could not reach the API',
    text: `${text} Nothing new was read since ${formatMinute(since)}.`,
    hint: `${hint} Then run: hsw sync now`.trim(),
    ended: 'The API can be reached again',
    alert: 'when it lasts',
  };
}

/**
 * The process counts as stuck unless it makes progress, has nothing to do, or has a reason to wait. It has something to
 * do while a stream is being read or a next read is overdue; the time without progress counts from then on. It has a
 * reason to wait while the key is refused, while requests wait for a limit, in the hour after the API answered 429, and
 * between two tries in an outage: a restart would not help in any of them. The text names no experiment, as /healthz
 * shows it to anyone.
 */
function stalledIssues(snapshot: Snapshot): Issue[] {
  const { now, startedAt, work, budget, patienceMs, keyRefused, refusal } = snapshot;
  if (startedAt === undefined || work === undefined || budget === undefined || patienceMs === undefined) return [];
  const isRefused = refusal !== undefined && now - refusal.at < HOUR_MS;
  if (keyRefused !== undefined || isRefused || budget.hour.used >= budget.hour.allowed) return [];
  const due = earliest([...work.map(({ since }) => since), ...streamsIn(snapshot).map(({ nextAt }) => nextAt)]);
  if (due === undefined || due >= now) return [];
  const { lastProgressAt = startedAt, waitsUntil = 0 } = snapshot;
  const since = Math.max(lastProgressAt, due, waitsUntil);
  if (now - since <= patienceMs) return [];
  return [
    {
      id: 'stalled',
      code: 'STALLED',
      severity: 'error',
      since,
      scope: {},
      subject: 'The daemon makes no progress',
      text: `No progress for ${formatDuration(now - since)} although ${work.length > 0 ? 'a stream is being read' : 'a stream is overdue'}.`,
      hint: 'Restart the daemon if this lasts.',
      ended: 'The daemon makes progress again',
      alert: 'never',
    },
  ];
}

/** A live room that sends nothing for this long should be checked. */
const SILENCE_MS = 10 * MINUTE_MS;

function roomIssues({ experimentId, room, lastRowAt, startedAt, readTo }: LiveRoom, snapshot: Snapshot): Issue[] {
  const since = lastRowAt ?? startedAt;
  const silence = snapshot.now - since;
  if (readTo === undefined || readTo - since < SILENCE_MS) return [];
  // The room may be sending rows that cannot be read.
  const isUnread =
    snapshot.keyRefused !== undefined ||
    streamsIn(snapshot).some((stream) => stream.experimentId === experimentId && stream.lastStatus === 'failed');
  return [
    {
      id: `room:${experimentId}/${room}`,
      code: 'ROOM_SILENT',
      severity: 'warning',
      since,
      scope: { experiment: experimentId, room },
      subject: `The live room ${room} of ${experimentId} sends no rows`,
      text:
        lastRowAt === undefined
          ? `The room has sent nothing since it started ${formatDuration(silence)} ago.`
          : `The last row came ${formatDuration(silence)} ago.`,
      hint: 'Check whether the session is still going on: browsers may be offline, or the room was left open.',
      ended: `The room ${room} of ${experimentId} sends rows again or is over`,
      alert: 'at once',
      suppressed: isUnread ? 'unknown' : undefined,
    },
  ];
}
