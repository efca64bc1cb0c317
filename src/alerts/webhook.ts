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
          headers: {
            'content-type': format === 'ntfy' ? 'text/plain; charset=utf-8' : 'application/json',
            'user-agent': 'hyperstudy-warehouse',
          },
          body: BODIES[format](message, source),
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

/** What is sent in each format, of which each has its own way to say that a text is nothing but text. */
const BODIES: Readonly<Record<WebhookConfig['format'], (message: Message, source: string) => string>> = {
  json: ({ at, kind, subject, text, hint, state }, source) =>
    JSON.stringify({ source, at: formatTime(at), kind, subject, text, hint, state }),
  slack: (message, source) => marked(message, source, inSlack, '*'),
  mattermost: (message, source) => marked(message, source, inMattermost, '**'),
  // Without its header for Markdown it shows a text as it is.
  ntfy: ({ subject, text, hint, state }, source) =>
    `${{ problem: '🔴 ', reminder: '🔴 ', recovered: '🟢 ', test: '' }[state]}${subject}\n${text}\n${hint}\n${source}`,
};

const MARKS = { problem: ':red_circle:', reminder: ':red_circle:', recovered: ':large_green_circle:', test: ':wave:' };

function marked(
  { subject, text, hint, state }: Message,
  source: string,
  plain: (words: string) => string,
  bold: string,
): string {
  const parts = [`${MARKS[state]} ${bold}${plain(subject)}${bold}`, plain(text), plain(hint), `_${plain(source)}_`];
  return JSON.stringify({ text: parts.join('\n') });
}

/** https://docs.slack.dev/messaging/formatting-message-text: with these three there is no link and no mention. */
function inSlack(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Markdown whose marks are text, and in which no @name calls anyone: an invisible space follows the sign. */
function inMattermost(words: string): string {
  return words.replace(/[\\`*_~[\]()#+|<>!:-]/g, '\\$&').replace(/@(?=\S)/g, '@\u200b');
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
