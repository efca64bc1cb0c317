import type { SimRecord } from './life.ts';
import type { Random } from './random.ts';

/** The requests that a fault affects; an absent field does not restrict it. */
export interface Where {
  readonly dataTypes?: readonly string[];
  /** `experiment`, `room` and `participant`, or `user` for the list of experiments. */
  readonly scopes?: readonly string[];
  /** From this time on, by the server's clock (ms since 1970 UTC). */
  readonly from?: number;
  /** Before this time, exclusively. */
  readonly until?: number;
  /** The probability that a request is affected; by default 1. */
  readonly chance?: number;
  /** How many requests are affected before it is over. */
  readonly times?: number;
}

/** The records that a fault affects: a share, chosen by their content, or those that meet a condition. */
export type Which = number | ((record: SimRecord) => boolean);

/** Faults of the API, from its release notes. None is active unless it is configured. */
export type ApiFault = Where &
  (
    | { readonly kind: 'totalIsReturned' }
    /**
     * A success with `_warnings` in which records are missing and not counted; without `lacks` all are missing. With
     * `isFiltered` only requests with a time filter are affected, as where only the index for these is missing.
     */
    | { readonly kind: 'warned'; readonly lacks?: Which; readonly isFiltered?: true }
    /**
     * An answer without these records that does not count them either, as from a copy of the store that lags behind. With
     * `maxLimit` only requests for at most so many records are affected, as by a cache of the pages that others requested.
     */
    | { readonly kind: 'lagging'; readonly lacks: Which; readonly maxLimit?: number }
    /** An answer of at most this many rows with the whole `total`, which says that there are no more. */
    | { readonly kind: 'cutPage'; readonly rows: number }
    /** An answer that has one record in the place of the next one as well. */
    | { readonly kind: 'repeated' }
    /** Answers that have, in the place of each of these records, another one once more. */
    | { readonly kind: 'replaced'; readonly of: Which }
    /** Records that are missing from every request with a `startTime` or `endTime`. */
    | { readonly kind: 'blindFilter'; readonly to: Which }
    /** A request with `sort` omits and does not count records without that field. */
    | { readonly kind: 'sortNeedsField' }
    /** A list ends after this many records, and counts only those. */
    | { readonly kind: 'cutList'; readonly after: number }
    /** Pages of more records than this end in a 504. */
    | { readonly kind: 'tooLarge'; readonly above: number }
    /** Agent decisions end after this many of each room, with `truncated` set. */
    | { readonly kind: 'truncated'; readonly perRoom: number }
    /** These fields are null in answers. */
    | { readonly kind: 'nulled'; readonly fields: readonly string[] }
    /** A room's answers also have these records of the experiment's other rooms. */
    | { readonly kind: 'leaked'; readonly of: Which }
    /** The experiment, or every one, is missing from the list, and its requests get 404. */
    | { readonly kind: 'experimentGone'; readonly experimentId?: string }
    /** No key has this scope, such as `read:events`, or any scope at all. */
    | { readonly kind: 'scopeLost'; readonly scope?: string }
  );

type Kind = ApiFault['kind'];
export type FaultOf<K extends Kind> = Extract<ApiFault, { kind: K }>;

/** A request as faults match it. */
export interface Target {
  readonly dataType: string;
  readonly scope: string;
  readonly now: number;
}

export interface Faults {
  /** The first fault of a kind that affects the request; counts the request as affected. */
  strike<K extends Kind>(kind: K, target: Target): FaultOf<K> | undefined;
  /** Every fault of a kind that is active at a time, for any request. */
  inForce<K extends Kind>(kind: K, now: number): FaultOf<K>[];
}

/** @param faults read again for every request, so that the owner of the list may change it. */
export function createFaults(faults: readonly ApiFault[], random: Random): Faults {
  const struck = new Map<ApiFault, number>();
  const strikes = (fault: ApiFault, { dataType, scope, now }: Target) => {
    if (!isInForce(fault, now) || fault.dataTypes?.includes(dataType) === false) return false;
    if (fault.scopes?.includes(scope) === false) return false;
    const before = struck.get(fault) ?? 0;
    if (before >= (fault.times ?? Infinity) || !random.chance(fault.chance ?? 1)) return false;
    struck.set(fault, before + 1);
    return true;
  };
  return {
    strike: (kind, target) => faults.filter((fault) => isOf(kind, fault)).find((fault) => strikes(fault, target)),
    inForce: (kind, now) => faults.filter((fault) => isOf(kind, fault)).filter((fault) => isInForce(fault, now)),
  };
}

function isOf<K extends Kind>(kind: K, fault: ApiFault): fault is FaultOf<K> {
  return fault.kind === kind;
}

function isInForce({ from = -Infinity, until = Infinity }: Where, now: number): boolean {
  return now >= from && now < until;
}

/** Whether a record is selected; always the same result for the same record. */
export function isAmong(which: Which, record: SimRecord): boolean {
  return typeof which === 'number' ? shareOf(record) < which : which(record);
}

const shares = new WeakMap<SimRecord, number>();

/** A number from 0 to 1 that follows from a record's content (FNV-1a, with its bits mixed once more). */
function shareOf(record: SimRecord): number {
  const known = shares.get(record);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (const letter of JSON.stringify(record)) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  const share = ((hash ^ (hash >>> 13)) >>> 0) / 4294967296;
  shares.set(record, share);
  return share;
}
