import { formatDuration, formatMinute, DAY_MS } from '../shared/time.ts';
import type { Issue } from './issue.ts';
import { latestRead, streamsIn, type Snapshot } from './snapshot.ts';

/** What is wrong with the key. */
export function keyIssues(snapshot: Snapshot): Issue[] {
  const { keyRefused, keyExpiresAt, now } = snapshot;
  const expiry = expiryIssue({ keyExpiresAt, now, readAt: latestRead(streamsIn(snapshot)) });
  return [
    ...refusedIssues(snapshot),
    // Of a key that is refused, that is told.
    ...(expiry === undefined ? [] : [keyRefused === undefined ? expiry : { ...expiry, hush: 'explained' as const }]),
    ...sharedIssues(snapshot),
  ];
}

/** That the API refuses the key. */
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
    hint: 'Make a new key in your HyperStudy account and put it where the old one is. Until then nothing is synced.',
    ended: 'The API accepts the key again',
    alert: 'at once',
  };
  return [issue];
}

/** What `api.keyExpires` is measured by. */
interface KeyDate {
  readonly keyExpiresAt: number | undefined;
  /** When data were last read with success. */
  readonly readAt: number | undefined;
  readonly now: number;
}

/** How long before its end a key is to be replaced. */
const NOTICE_MS = 7 * DAY_MS;
/** A date without a time lasts a day, in whatever time zone it is meant, and clocks differ. */
const VAGUE_MS = 2 * DAY_MS;

/** How the date stands; outlived: data were read after it, so that it cannot be the date of the key that is used. */
export function keyDateState({ keyExpiresAt, readAt, now }: KeyDate): 'far' | 'near' | 'past' | 'outlived' {
  if (keyExpiresAt === undefined || keyExpiresAt - now >= NOTICE_MS) return 'far';
  if (readAt !== undefined && readAt > keyExpiresAt + VAGUE_MS) return 'outlived';
  return keyExpiresAt > now ? 'near' : 'past';
}

/** What is to be said of the end of the key; undefined while it is far, or not known. */
export function expiryIssue(date: KeyDate): Issue | undefined {
  const { keyExpiresAt = Infinity, now } = date;
  const common = {
    id: 'key-expiring',
    code: 'KEY_EXPIRES',
    scope: {},
    hint: 'Make a new key in your HyperStudy account, put it where the old one is, and write its date as api.keyExpires.',
    ended: 'The end of the API key is not near any more',
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
        text: `By api.keyExpires the key expired at ${formatMinute(keyExpiresAt)}.`,
      };
    case 'outlived':
      return {
        ...common,
        severity: 'note',
        since: keyExpiresAt + VAGUE_MS,
        subject: 'The date in api.keyExpires is that of a former key',
        text: `api.keyExpires says that the key ended at ${formatMinute(keyExpiresAt)}, but it still works.`,
        hint: 'Write the date of the key in use there (or never), so that you are told before it ends.',
        alert: 'never',
      };
  }
}

/** How long people are told of a refusal. */
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
      hint: `Give the warehouse a key of its own, or leave that program more: raise api.limits.reserve in the config (now ${reserve}).`,
      ended: 'No other program uses the same key any more',
      alert: 'never',
    },
  ];
}
