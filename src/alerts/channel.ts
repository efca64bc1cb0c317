import { networkFailure } from '../shared/network.ts';
import type { Message } from './incidents.ts';

/** The longest that one delivery may take. */
export const DEADLINE_MS = 10_000;

/** A way to send alerts. */
export interface Channel {
  readonly name: 'webhook' | 'smtp';
  /**
   * Sends a message once.
   * @returns why it could not be delivered, or undefined if all received it. Only an aborted signal throws.
   */
  send(message: Message, signal: AbortSignal): Promise<Failure | undefined>;
}

/** Why a message was not delivered, in words that contain no secret. */
export interface Failure {
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether another try may help. */
  readonly passing: boolean;
  /** Some received it and others cannot: it is not sent again. */
  readonly partly?: boolean;
}

/** What went wrong on the wire, in words that hold no address. */
export function networkWords(error: unknown, deadlineMs: number): { words: string; passing: boolean } {
  const { cause, reason, passes } = networkFailure(error);
  return { words: cause === 'silent' ? `no answer within ${deadlineMs / 1000} s` : reason, passing: passes };
}
