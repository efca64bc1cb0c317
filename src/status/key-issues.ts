import { formatDuration, formatMinute, DAY_MS } from '../shared/time.ts';
import type { Issue } from './issue.ts';
import { latestRead, streamsIn, type Snapshot } from './snapshot.ts';

/** What is wrong with the key. */
export function keyIssues(snapshot: Snapshot): Issue[] {
  const { keyRefused, keyExpiresAt, now } = snapshot;
  const expiry = expiryIssue({ keyExpiresAt, now, readAt: latestRead(streamsIn(snapshot)) });
  return [
    ...refusedIssues(snapshot),
    // A refused key is reported instead.
    ...(expiry === undefined
      ? []
      : [keyRefused === undefined ? expiry : { ...expiry, suppressed: 'explained' as const }]),
    ...sharedIssues(snapshot),
  ];
}

/** The issue that the API refuses the key. */
export function refusedIssues({ keyRefused: text }: Pick<Snapshot, 'keyRefused'>): Issue[] {
  if (text === undefined) return [];
  const issue: Issue = {
    id: 'key-refused',
    code: 'KEY_REFUSED',
    severity: 'error',
    since: undefined,
    scope: {},
    subject: 'The API refuses the key',
    text,
    hint: 'Create a new key in your HyperStudy account and put it where the old one is. Until then nothing is synced.',
    ended: 'The API accepts the key again',
    alert: 'at once',
  };
  return [issue];
}

/** What `api.keyExpires` is compared with. */
interface KeyDate {
  readonly keyExpiresAt: number | undefined;
  /** When data were last read successfully. */
  readonly readAt: number | undefined;
  readonly now: number;
}

/** How long before it expires a key should be replaced. */
const NOTICE_MS = 7 * DAY_MS;
/** A date without a time covers a whole day in an unknown time zone, and clocks differ. */
const VAGUE_MS = 2 * DAY_MS;

/** The state of the date; outlived: data were read after it, so it cannot be the date of the key in use. */
export function keyDateState({ keyExpiresAt, readAt, now }: KeyDate): 'far' | 'near' | 'past' | 'outlived' {
  if (keyExpiresAt === undefined || keyExpiresAt - now >= NOTICE_MS) return 'far';
  if (readAt !== undefined && readAt > keyExpiresAt + VAGUE_MS) return 'outlived';
  return keyExpiresAt > now ? 'near' : 'past';
}

/** The issue of a key that expires; undefined while its date is far away or not known. */
export function expiryIssue(date: KeyDate): Issue | undefined {
  const { keyExpiresAt = Infinity, now } = date;
  const common = {
    id: 'key-expiring',
    code: 'KEY_EXPIRES',
    scope: {},
    hint: 'Create a new key in your HyperStudy account, put it where the old one is, and set api.keyExpires to its date.',
    ended: 'The API key no longer expires soon',
    alert: 'at once',
  } as const;
  switch (keyDateState(date)) {
    case 'far':
      return undefined;
    case 'near':
      return {
        ...common,
        severity: 'warning',
        since: keyExpiresAt - NOTICE_MS,
        subject: 'The API key expires soon',
        text: `The key expires at ${formatMinute(keyExpiresAt)}, in ${formatDuration(keyExpiresAt - now)}. After that nothing is synced.`,
      };
    case 'past':
      return {
        ...common,
        severity: 'warning',
        since: keyExpiresAt,
        subject: 'The API key has expired',
        text: `According to api.keyExpires the key expired at ${formatMinute(keyExpiresAt)}.`,
      };
    case 'outlived':
      return {
        ...common,
        severity: 'note',
        since: keyExpiresAt + VAGUE_MS,
        subject: 'The date in api.keyExpires is that of an earlier key',
        text: `According to api.keyExpires the key expired at ${formatMinute(keyExpiresAt)}, but it still works.`,
        hint: 'Set it to the date of the key in use (or to never), so that you are warned before the key expires.',
        alert: 'never',
      };
  }
}

/** How long a refusal is reported. */
const REFUSAL_MATTERS_MS = DAY_MS;

function sharedIssues({ refusal, reserve, now }: Snapshot): Issue[] {
  if (refusal === undefined || now - refusal.at >= REFUSAL_MATTERS_MS) return [];
  const { at, endpoint } = refusal;
  return [
    {
      id: 'key-shared',
      code: 'KEY_SHARED',
      severity: 'warning',
      since: at,
      scope: {},
      subject: 'Another program uses the same key',
      text: `The API refused a request for ${endpoint} at ${formatMinute(at)} (${formatDuration(Math.max(0, now - at))} ago), although we kept within our limits.`,
      hint: `Give the warehouse a key of its own, or leave more requests to the other program: raise api.limits.reserve in the config (now ${reserve}).`,
      ended: 'No other program seems to use the same key any more',
      alert: 'never',
    },
  ];
}
