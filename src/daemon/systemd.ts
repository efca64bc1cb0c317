import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cleanLine } from '../shared/clean-text.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs `systemd-notify` with these arguments; settles when it has ended, and may reject. */
export type RunNotify = (args: readonly string[]) => Promise<void>;

/** Notifies systemd. Nothing waits, nothing throws, and without systemd nothing happens. */
export interface Notifier {
  /** The service works; call it again when a reload is done. */
  ready(status: string): void;
  /** The configuration is being read again; `ready` follows. */
  reloading(): void;
  /** The service is ending. */
  stopping(): void;
  /** One line for `systemctl status`; nothing is sent while it stays the same. */
  status(text: string): void;
  /** There was real progress: resets the watchdog. */
  watchdog(): void;
  /** Resolves when every message so far was delivered or has failed; await it before the process ends. */
  settled(): Promise<void>;
}

/** `systemd-notify` waits at most 5 s for systemd; one that takes longer hangs. */
const NOTIFY_TIMEOUT_MS = 10_000;

/**
 * Notifies systemd of the service's state (sd_notify(3)). Node has no Unix datagrams, so `systemd-notify` sends them:
 * the unit needs `NotifyAccess=all`. Messages arrive in the order in which they were sent.
 * @param run what runs `systemd-notify`; given by tests.
 */
export function createNotifier(env: Environment, run: RunNotify = runNotify(env)): Notifier {
  const isOn = (env['NOTIFY_SOCKET'] ?? '') !== '';
  let last = Promise.resolve();
  let isFeeding = false;
  let shown = '';
  const send = (...assignments: string[]): Promise<void> => {
    if (!isOn) return last;
    // A message that does not arrive must not stop the sync: systemd acts if none arrives.
    last = last.then(() => run(assignments)).catch(() => undefined);
    return last;
  };
  return {
    ready: (status) => void send('READY=1', (shown = statusLine(status))),
    reloading: () => void send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => void send('STOPPING=1', 'STATUS=Stopping'),
    status(text) {
      if (statusLine(text) !== shown) void send((shown = statusLine(text)));
    },
    watchdog() {
      // One message at a time is enough: there is progress more often than a process can be started.
      if (isFeeding) return;
      isFeeding = true;
      void send('WATCHDOG=1').then(() => (isFeeding = false));
    },
    settled: () => last,
  };
}

/**
 * The timeout of systemd's watchdog, in milliseconds; undefined if none watches this process. Call `watchdog` at least
 * twice in that time while there is progress.
 */
export function watchdogMs(env: Environment, pid = process.pid): number | undefined {
  const { WATCHDOG_USEC: interval = '', WATCHDOG_PID: watched } = env;
  if (watched !== undefined && watched !== String(pid)) return undefined;
  return /^[1-9]\d{0,15}$/.test(interval) ? Number(interval) / 1000 : undefined;
}

/** A status must be one line, as each line of a message is a separate assignment. */
function statusLine(text: string): string {
  return `STATUS=${cleanLine(text.replace(/\s+/g, ' ').trim())}`;
}

/** The child gets only what it needs: its environment holds no key. */
function runNotify({ NOTIFY_SOCKET, PATH }: Environment): RunNotify {
  return async (args) => {
    const options = { env: { NOTIFY_SOCKET, PATH }, timeout: NOTIFY_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    await promisify(execFile)('systemd-notify', args, options);
  };
}
