import { formatDuration, formatMinute, DAY_MS } from '../shared/time.ts';
import type { StoredPosition } from '../warehouse/positions.ts';

/** What is to be said of the date in `api.keyExpires`. */
export interface Expiry {
  /** outlived: data were read after it, so that it cannot be the date of the key that is used. */
  readonly state: 'near' | 'past' | 'outlived';
  readonly subject: string;
  readonly text: string;
  readonly hint: string;
  /** When it began to be so, in milliseconds since 1970 UTC. */
  readonly since: number;
}

/** How long before its end a key is to be replaced. */
const NOTICE_MS = 7 * DAY_MS;
/** A date without a time lasts a day, in whatever time zone it is meant, and clocks differ. */
const VAGUE_MS = 2 * DAY_MS;

/**
 * What is to be said of the end of the key; undefined while it is far, or not known.
 * @param readAt when data were last read with success. Times are milliseconds since 1970 UTC.
 */
export function expiryOf({
  keyExpiresAt,
  readAt,
  now,
}: {
  readonly keyExpiresAt: number | undefined;
  readonly readAt: number | undefined;
  readonly now: number;
}): Expiry | undefined {
  if (keyExpiresAt === undefined || keyExpiresAt - now >= NOTICE_MS) return undefined;
  if (readAt !== undefined && readAt > keyExpiresAt + VAGUE_MS)
    return {
      state: 'outlived',
      subject: 'The date in api.keyExpires is that of a former key',
      text: `api.keyExpires says that the key ended at ${formatMinute(keyExpiresAt)}, but it still works.`,
      hint: 'Write the date of the key in use there (or never), so that you are told before it ends.',
      since: keyExpiresAt + VAGUE_MS,
    };
  const left = keyExpiresAt - now;
  const hint =
    'Make a new key in your HyperStudy account, put it where the old one is, and write its date as api.keyExpires.';
  return left > 0
    ? {
        state: 'near',
        subject: 'The API key expires soon',
        text: `The key expires at ${formatMinute(keyExpiresAt)}, in ${formatDuration(left)}. After that nothing is synced.`,
        hint,
        since: keyExpiresAt - NOTICE_MS,
      }
    : {
        state: 'past',
        subject: 'The API key has expired',
        text: `By api.keyExpires the key expired at ${formatMinute(keyExpiresAt)}.`,
        hint,
        since: keyExpiresAt,
      };
}

/** When any of these streams was last read to its end; undefined where none ever was. */
export function latestRead(streams: readonly Pick<StoredPosition, 'dataAsOf'>[]): number | undefined {
  return streams.reduce<number | undefined>(
    (latest, { dataAsOf }) => (dataAsOf === undefined ? latest : Math.max(latest ?? dataAsOf, dataAsOf)),
    undefined,
  );
}
