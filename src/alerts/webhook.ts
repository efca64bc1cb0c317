import type { WebhookConfig } from '../config/alerts.ts';
import { formatTime } from '../shared/time.ts';
import type { Message } from './incidents.ts';
import { DEADLINE_MS, networkWords, type Channel, type Failure } from './channel.ts';

/**
 * Posts a message to a web address, without following redirects. What goes wrong is said without the address, which is
 * a secret, and without the server's own words.
 * @param source what the message says of where it comes from.
 */
export function webhookChannel({ url, format }: WebhookConfig, source: string, deadlineMs = DEADLINE_MS): Channel {
  return {
    name: 'webhook',
    async send(message, signal) {
      const deadline = AbortSignal.timeout(deadlineMs);
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'hyperstudy-warehouse' },
          body: JSON.stringify(format === 'slack' ? slackBody(message, source) : jsonBody(message, source)),
          redirect: 'error',
          signal: AbortSignal.any([signal, deadline]),
        });
        await response.body?.cancel();
        return response.ok ? undefined : refused(response.status);
      } catch (error) {
        signal.throwIfAborted();
        return unreachable(error, deadlineMs);
      }
    },
  };
}

function jsonBody({ at, kind, subject, text, hint, state }: Message, source: string) {
  return { source, at: formatTime(at), kind, subject, text, hint, state };
}

const MARKS = { problem: ':red_circle:', reminder: ':red_circle:', recovered: ':large_green_circle:', test: ':wave:' };

function slackBody({ subject, text, hint, state }: Message, source: string) {
  const plain = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: `${MARKS[state]} *${plain(subject)}*\n${plain(text)}\n${plain(hint)}\n_${plain(source)}_` };
}

function refused(status: number): Failure {
  const passing = status === 408 || status === 429 || status >= 500;
  return {
    problem: `the web address answers with HTTP ${status}`,
    hint: passing
      ? 'The service behind it fails; it is tried again.'
      : 'Check that the address is right and still valid, and that alerts.webhook.format suits it.',
    passing,
  };
}

function unreachable(error: unknown, deadlineMs: number): Failure {
  if (error instanceof Error && error.cause instanceof Error && error.cause.message === 'unexpected redirect')
    return {
      problem: 'the web address sends on to another one',
      hint: 'Put the final address into alerts.webhook: messages follow no redirect.',
      passing: false,
    };
  const { words, passing } = networkWords(error, deadlineMs);
  return {
    problem: `the web address cannot be reached: ${words}`,
    hint: 'Check the address in alerts.webhook and the network of this computer.',
    passing,
  };
}
