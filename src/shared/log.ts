import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import { cleanLine, cleanText } from './clean-text.ts';

export type Log = Logger;
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** What an API key looks like (`hst_live_…`, `hst_test_…`): no such string leaves the process. */
const KEY = /hst_(?:live|test)_[A-Za-z0-9_-]+/g;

/**
 * Removes every secret from a text: anything shaped like an API key, the given secrets, and the signatures of signed
 * URLs.
 */
export function scrub(text: string, secrets: Iterable<string> = []): string {
  let clean = text.replace(KEY, (key) => `${key.slice(0, 9)}[hidden]`);
  for (const secret of secrets) if (secret.length >= 8) clean = clean.replaceAll(secret, '[hidden]');
  return clean.replace(/([?&](?:X-Goog-Signature|X-Amz-Signature|Signature|sig|token)=)[^&\s"']+/gi, '$1[hidden]');
}

/**
 * A logger that writes synchronously to stderr, so that the last line before the process ends is never lost: JSON lines
 * for journald and machines, or short coloured ones for a person at a terminal.
 * @param secrets strings that never appear in a line, in addition to anything shaped like an API key; may grow later.
 */
export function createLog(options: { level?: LogLevel; pretty?: boolean; secrets?: Iterable<string> } = {}): Log {
  const { level = 'info', secrets = [] } = options;
  const stderr = pino.destination({ dest: 2, sync: true });
  const sink =
    options.pretty === true
      ? pretty({ destination: stderr, sync: true, singleLine: true, ignore: 'pid,hostname' })
      : stderr;
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write(line: string) {
        const scrubbed = scrub(line, asWritten(secrets));
        sink.write(options.pretty === true ? forPeople(scrubbed) : cleanText(scrubbed));
      },
    },
  );
}

/** The line with texts that are safe once they are out of their quotes; a stack has only the lines of its places. */
function forPeople(line: string): string {
  return `${JSON.stringify(cleanIn(JSON.parse(line), ''))}\n`;
}

const PLACES = /\n(?! {4}at )/g;

function cleanIn(value: unknown, name: string): unknown {
  if (typeof value === 'string')
    return name === 'stack' ? cleanText(value.replace(PLACES, '\\u000a')) : cleanLine(value);
  if (Array.isArray(value)) return value.map((one) => cleanIn(one, ''));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [cleanLine(key), cleanIn(one, key)]));
}

/** Secrets as they appear in a line of JSON, the longest first, so that no part of one is left. */
function asWritten(secrets: Iterable<string>): string[] {
  return [...secrets]
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .sort((a, b) => b.length - a.length);
}

/** A logger that writes nothing. */
export const silentLog: Log = pino({ level: 'silent' });
