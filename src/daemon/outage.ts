import type { Clock } from '../shared/clock.ts';
import type { WarehouseError } from '../shared/errors.ts';
import { scrub, type Log } from '../shared/log.ts';
import { SECOND_MS, MINUTE_MS } from '../shared/time.ts';
import { type OutageState } from '../status/outage.ts';

/** What keeps the daemon from using the API at all, and when it tries again. */
export interface Outage {
  /** No request is made before this time (milliseconds since 1970 UTC). */
  restsUntil(): number;
  /** Whether there is an outage: then only one request is tried at a time, to see whether it is over. */
  isTrying(): boolean;
  keyRefused(): string | undefined;
  /** Undefined without an outage. */
  current(): OutageState | undefined;
  /** Notes an error that affects every stream. @param isOfStream whether it occurred while a stream was read. */
  meet(error: WarehouseError, isOfStream: boolean): void;
  /**
   * Notes that the list of experiments was read. That ends an outage that the list met, as in a quiet lab no stream may
   * be due for hours; it does not end one that a stream met, as the list is a small answer.
   */
  listed(): void;
  /** Ends the outage, as a stream was read: the network, the key and the disk work. */
  over(): void;
  /** Discards times that are now in the future. */
  clockSetBack(): void;
  /** When the last outage ended (milliseconds since 1970 UTC); 0 if there was none. */
  overSince(): number;
}

/** The API may take some seconds to accept a new key; after that it mostly takes a person to fix it. */
const FIRST_KEY_MS = 15 * SECOND_MS;
const LONGEST_KEY_MS = 10 * MINUTE_MS;
const DISK_AGAIN_MS = MINUTE_MS;
const FIRST_OFFLINE_MS = 10 * SECOND_MS;
const LONGEST_OFFLINE_MS = 5 * MINUTE_MS;

/**
 * Pauses requests while the key is refused, the server cannot be reached or the disk is full; logs its start and its
 * end.
 * @param store keeps for `hsw status` what was met, or that it is over.
 */
export function createOutage(
  clock: Clock,
  log: Log,
  store: (met: WarehouseError | undefined) => void = () => undefined,
): Outage {
  let until = 0;
  let refusal: string | undefined;
  let outage: (OutageState & { readonly isOfStream: boolean }) | undefined;
  let tries = 0;
  let overAt = 0;
  const over = () => {
    if (outage === undefined) return;
    log.info({ afterMs: Math.max(0, clock.now() - outage.since) }, 'working again');
    outage = undefined;
    store(undefined);
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
      // Requests that were in progress together fail together.
      if (now < until) return;
      const { code, message, hint, requestId } = error;
      if (outage === undefined) log.error({ code, hint, requestId }, message);
      outage = { since: outage?.since ?? now, code, text: scrub(message), hint, isOfStream };
      store(error);
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
