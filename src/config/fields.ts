import { z } from 'zod';
import { parseDuration } from '../shared/time.ts';

/** Settings of one place. Its message for an unknown key is the list of those that it takes: `a, b, c`. */
export function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? names : `must hold settings, which may be: ${names}`),
  });
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item, 'must be a list').min(1, 'must not be empty: name at least one, or remove the line');
}

/** Milliseconds of a duration within bounds. */
export function duration(least: string, most: string) {
  const [from = 0, to = 0] = [least, most].map(parseDuration);
  const error = `must be a duration from ${least} to ${most}, such as 30s, 15m or 1h`;
  return z.string(error).transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= from && ms <= to) return ms;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/** Whether what is sent to a host stays on this computer. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Why nothing secret may be sent to an address; undefined when it may. */
export function addressProblem(url: URL): string | undefined {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return undefined;
  return 'must begin with https:// (http:// is accepted for this computer only)';
}
