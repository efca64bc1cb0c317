import type { WebhookConfig } from '../config/alerts.ts';
import { formatTime } from '../shared/time.ts';
import type { Message } from './incidents.ts';
import { DEADLINE_MS, networkWords, type Channel, type Failure } from './channel.ts';

/**
 * Posts a message to a webhook, without following redirects. Errors are reported without the URL, which is a secret,
 * and without the server's own words.
 * @param source the sender that the message names.
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
    problem: `the webhook answered with HTTP ${status}`,
    hint: passing
      ? 'The service has a problem; the message is sent again.'
      : 'Check that the URL is right and still valid, and that alerts.webhook.format suits it.',
    passing,
  };
}

function unreachable(error: unknown, deadlineMs: number): Failure {
  if (error instanceof Error && error.cause instanceof Error && error.cause.message === 'unexpected redirect')
    return {
      problem: 'the webhook redirects to another URL',
      hint: 'Put the final URL into alerts.webhook: messages do not follow redirects.',
      passing: false,
    };
  const { words, passing } = networkWords(error, deadlineMs);
  return {
    problem: `the webhook cannot be reached: ${words}`,
    hint: 'Check the URL in alerts.webhook and the network of this computer.',
    passing,
  };
}
