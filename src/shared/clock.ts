import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Time as the rest of the code sees it, so that tests can drive it.
 * `now` may jump when the clock is set; `uptime` never goes backwards within one `bootId`.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC by the machine's wall clock. */
  now(): number;
  /** Milliseconds since the machine started; shared by all processes of one boot. */
  uptime(): number;
  /** How far `uptime` may lag behind, as it advances in steps; by default not at all. */
  readonly uptimeStepMs?: number;
  /** Names this boot of the machine; equal in every process until a reboot. */
  readonly bootId: string;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout accepts at most 2^31-1 ms and fires immediately beyond that. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  uptime: () => uptime() * 1000,
  // The kernel writes hundredths of a second into /proc/uptime; elsewhere it may be whole seconds.
  uptimeStepMs: process.platform === 'linux' ? 10 : 1000,
  bootId: readBootId(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    await delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, { signal }).catch((error: unknown) => {
      throw signal?.aborted === true ? signal.reason : error;
    });
  },
};

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Where the kernel has no boot id, the minute of the boot serves as one.
    return `booted-${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}
