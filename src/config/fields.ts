import { z } from 'zod';
import { isLoopback } from '../shared/loopback.ts';
import { formatTime, parseDuration, parseTime } from '../shared/time.ts';

/** A group of settings. Of each unknown key it says which are allowed: see `allowedInstead`. */
export function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, `must be a mapping with any of: ${allowed.join(', ')}`).superRefine(
    (_, context) => {
      // The issues of inner groups have a path.
      for (const issue of context.issues.filter(({ path }) => path === undefined))
        if (issue.code === 'unrecognized_keys')
          for (const key of issue.keys)
            context.addIssue({ code: 'custom', path: [key], message: 'unknown key', params: { allowed } });
    },
    { when: () => true },
  );
}

const ALLOWED = z.object({ allowed: z.array(z.string()) });

/** The keys that are allowed where an issue found an unknown one; undefined for any other issue. */
export function allowedInstead(issue: z.core.$ZodIssue): readonly string[] | undefined {
  return issue.code === 'custom' ? ALLOWED.safeParse(issue.params).data?.allowed : undefined;
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item, 'must be a list').min(1, 'must not be empty: name at least one, or remove the line');
}

export function share(most: number) {
  return z.number(`must be a number from 0 to ${most}`).min(0).max(most);
}

export function count(most: number, least = 1) {
  return z.number(`must be an integer from ${least} to ${most}`).int().min(least).max(most);
}

/** A duration within bounds, in milliseconds. */
export function duration(least: string, most: string) {
  const [from = 0, to = 0] = [least, most].map(parseDuration);
  const error = `must be a duration from ${least} to ${most}, such as 30s, 15m or 1h`;
  return z
    .string(error)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= from && ms <= to) return ms;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .meta({ title: `duration from ${least} to ${most}`, examples: ['30s', '15m', '1h'] });
}

/** Milliseconds since 1970 UTC of a time, or of the start of a date; undefined for `never`. */
export function dateOrNever() {
  const error = 'must be a date such as 2027-05-01, a time such as 2027-05-01T14:30Z, or never';
  return z
    .string(error)
    .transform((written, context) => {
      const text = written.trim();
      if (text === 'never') return undefined;
      const ms = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text);
      if (ms !== undefined && isDay(text.slice(0, 10))) return ms;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .meta({ title: 'date, time or never', examples: ['2027-05-01', 'never'] });
}

/** Whether a day exists; `Date` turns 30 February into 2 March. */
function isDay(date: string): boolean {
  const ms = parseTime(`${date}T00:00`);
  return ms !== undefined && formatTime(ms).startsWith(date);
}

/** The id of an organization, as a header carries it. */
export function organizationId() {
  const error = 'must be the id of an organization such as org_abc123';
  return z
    .string(error)
    .regex(/^[\x21-\x7e]{1,200}$/, error)
    .meta({ title: 'organization' });
}

/** Why no secret may be sent to a URL; undefined when it may. */
export function addressProblem(url: URL): string | undefined {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return undefined;
  return 'must start with https:// (http:// is accepted for this computer only)';
}
