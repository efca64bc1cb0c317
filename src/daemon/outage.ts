import type { Clock } from '../shared/clock.ts';
import type { WarehouseError } from '../shared/errors.ts';
import { scrub, type Log } from '../shared/log.ts';
import { SECOND_MS, MINUTE_MS } from '../shared/time.ts';
import { type OutageState } from '../status/outage.ts';

/** What keeps the daemon from asking the API at all, and when it tries again. */
export interface Outage {
  /** Nothing is asked before this time (milliseconds since 1970 UTC). */
  restsUntil(): number;
  /** Only one request is tried at a time, to see whether it is over. */
  isTrying(): boolean;
  keyRefused(): string | undefined;
  /** Undefined while nothing does. */
  current(): OutageState | undefined;
  /** An error that concerns every stream. @param isOfStream whether the reading of a stream met it. */
  meet(error: WarehouseError, isOfStream: boolean): void;
  /**
   * The list of experiments came. In a quiet lab no stream may be due for hours, so that what kept the list from coming
   * is over; what a stream met is not, as a list is a small answer.
   */
  listed(): void;
  /** A stream was read: the network, the key and the disk work. */
  over(): void;
  /** Of a clock that was set back, no time that is ahead counts any more. */
  clockSetBack(): void;
  /** When the last outage was over (milliseconds since 1970 UTC); 0 where there was none. */
  overSince(): number;
}

/** A new key needs some seconds until the API knows it; later it mostly takes a person to put it right. */
const FIRST_KEY_MS = 15 * SECOND_MS;
const LONGEST_KEY_MS = 10 * MINUTE_MS;
const DISK_AGAIN_MS = MINUTE_MS;
const FIRST_OFFLINE_MS = 10 * SECOND_MS;
const LONGEST_OFFLINE_MS = 5 * MINUTE_MS;

/** Keeps quiet while the key is refused, the server cannot be reached or the disk is full; says it once, and when it is over. */
export function createOutage(clock: Clock, log: Log): Outage {
  let until = 0;
  let refusal: string | undefined;
  let outage: (OutageState & { readonly isOfStream: boolean }) | undefined;
  let tries = 0;
  let overAt = 0;
  const over = () => {
    if (outage === undefined) return;
    log.info({ afterMs: Math.max(0, clock.now() - outage.since) }, 'working again');
    outage = undefined;
    overAt = clock.now();
    refusal = undefined;
    until = 0;
    tries = 0;
  };
  return {
    overSince: () => overAt,
    restsUntil: () => until,
    isTrying: () => outage !== undefined,
    keyRefused: () => refusal,
    current: () => outage,
    meet(error, isOfStream) {
      const now = clock.now();
      // Requests that were under way together fail together.
      if (now < until) return;
      const { code, message, hint, requestId } = error;
      if (outage === undefined) log.error({ code, hint, requestId }, message);
      outage = { since: outage?.since ?? now, code, text: scrub(message), hint, isOfStream };
      if (error.code === 'KEY_REFUSED') {
        refusal = error.message;
        until = now + Math.min(LONGEST_KEY_MS, FIRST_KEY_MS * 2 ** tries++);
      } else if (error.code === 'SERVER_UNREACHABLE') {
        until = now + Math.min(LONGEST_OFFLINE_MS, FIRST_OFFLINE_MS * 2 ** tries++);
      } else until = now + DISK_AGAIN_MS;
    },
    listed() {
      if (refusal !== undefined || (outage?.code === 'SERVER_UNREACHABLE' && !outage.isOfStream)) over();
    },
    clockSetBack() {
      const now = clock.now();
      until = Math.min(until, now);
      overAt = Math.min(overAt, now);
    },
    over,
  };
}
