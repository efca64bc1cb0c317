import type { Issue } from '../status/issue.ts';
import type { AlertsConfig } from '../config/alerts.ts';
import type { Clock } from '../shared/clock.ts';
import { cleanLine, cleanText } from '../shared/clean-text.ts';
import { scrub, type Log } from '../shared/log.ts';
import { decide, formatStates, NOTHING_SENT, parseStates, delivered, type Message } from './incidents.ts';
import type { Channel } from './channel.ts';
import { mailChannel } from './mail.ts';
import { webhookChannel } from './webhook.ts';

/** Stores a text across restarts. */
export interface AlertStore {
  load(): string | undefined;
  save(text: string): void;
}

/**
 * The channels that are configured.
 * @param source the sender that messages name: `hyperstudy-warehouse on lab-pc`.
 */
export function channelsOf({ webhook, smtp }: AlertsConfig, source: string): Channel[] {
  return [
    ...(webhook === undefined ? [] : [webhookChannel(webhook, source)]),
    ...(smtp === undefined ? [] : [mailChannel(smtp, source)]),
  ];
}

/** Waits before the second and the third try of a delivery. */
const BACKOFF_MS = [2000, 10_000];

export interface DeliverOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Sends a message through one channel, with a few tries if needed.
 * @returns `delivered`; `failed`; or `unreachable` if other messages would not get through either.
 * @throws the signal's reason when aborted.
 */
async function deliver(
  channel: Channel,
  message: Message,
  { clock, log, signal }: DeliverOptions,
): Promise<'delivered' | 'failed' | 'unreachable'> {
  const clean = {
    ...message,
    subject: cleanLine(scrub(message.subject)),
    text: cleanText(scrub(message.text)),
    hint: cleanLine(scrub(message.hint)),
  };
  for (let tries = 1; ; tries++) {
    const failure = await channel.send(clean, signal);
    if (failure === undefined) return 'delivered';
    const wait = failure.passing ? BACKOFF_MS[tries - 1] : undefined;
    if (wait !== undefined) {
      await clock.sleep(wait, signal);
      continue;
    }
    const { problem, hint, passing, partly = false } = failure;
    log.warn({ channel: channel.name, alert: clean.subject, tries }, `An alert was not delivered: ${problem}. ${hint}`);
    return partly ? 'delivered' : passing ? 'unreachable' : 'failed';
  }
}

export interface AlertOptions extends DeliverOptions {
  readonly channels: readonly Channel[];
  readonly store: AlertStore;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly afterMs: number;
}

/**
 * One check: sends each channel the messages that are due. Each channel has a record of what it was sent, so that one
 * that fails is tried again at the next check and the other gets nothing twice. What was delivered is stored at once.
 * Checks must not overlap.
 * @throws the signal's reason when aborted.
 */
export async function sendAlerts(issues: readonly Issue[], options: AlertOptions): Promise<void> {
  const { channels, store, clock, afterMs } = options;
  let stored = store.load();
  const before = parseStates(stored);
  const checks = channels.map((channel) => ({
    channel,
    ...decide(issues, before.get(channel.name) ?? NOTHING_SENT, clock.now(), afterMs),
  }));
  // The record of a channel that is no longer configured is dropped.
  const states = new Map(checks.map(({ channel, state }) => [channel.name as string, state]));
  const save = () => {
    const text = formatStates(states);
    if (text !== stored) store.save(text);
    stored = text;
  };
  save();
  const ends = await Promise.allSettled(
    checks.map(async ({ channel, messages, ...check }) => {
      let { state } = check;
      for (const message of messages) {
        const outcome = await deliver(channel, message, options);
        if (outcome === 'unreachable') return;
        if (outcome === 'failed') continue;
        state = delivered(state, message);
        states.set(channel.name, state);
        save();
      }
    }),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
