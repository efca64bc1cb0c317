import { z } from 'zod';
import type { LogLevel } from '../shared/log.ts';
import { parseDuration } from '../shared/time.ts';

/** The options that a data type takes, by name; handed in, as the data types are declared elsewhere. */
export type OptionKinds = Readonly<Record<string, Readonly<Record<string, 'number' | 'boolean' | 'strings'>>>>;

export type OptionValue = string | number | boolean | readonly string[];

/** The configuration as the rest of the code uses it: complete, checked and frozen. */
export interface Config {
  /** Where it was read from. */
  readonly path: string;
  readonly api: {
    readonly baseUrl: string;
    /** Undefined only for commands that need none. */
    readonly key: string | undefined;
    readonly limits: { readonly perHour: number; readonly perEndpointPerMinute: number; readonly reserve: number };
    readonly pageSize: number;
    readonly concurrency: number;
    readonly timeoutMs: number;
  };
  /** Absolute. */
  readonly warehouse: { readonly path: string };
  readonly schedule: string;
  readonly data: readonly string[] | 'all';
  readonly experiments: readonly ExperimentConfig[];
  readonly options: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  readonly lookbackMs: number;
  readonly history: boolean;
  readonly deletes: { readonly maxShare: number };
  readonly log: { readonly level: LogLevel; readonly pretty: 'auto' | boolean };
}

export interface NamedExperiment {
  readonly id: string;
  readonly data?: readonly string[] | 'all' | undefined;
  readonly schedule?: string | undefined;
  readonly rooms?: readonly string[] | undefined;
  readonly participants?: readonly { readonly id: string; readonly room: string }[] | undefined;
  readonly deployments?: readonly string[] | undefined;
}
export interface AllExperiments {
  readonly all: true;
  readonly data?: readonly string[] | 'all' | undefined;
  readonly schedule?: string | undefined;
}
export type ExperimentConfig = NamedExperiment | AllExperiments;

export const PRODUCTION = 'https://api.hyperstudy.io/api/v3';

/**
 * What the YAML file may hold, with the defaults of what it leaves out.
 * @param dataTypes the data types and their options.
 */
export function configSchema(dataTypes: OptionKinds) {
  const names = Object.keys(dataTypes);
  const id = z.string('must be a text such as exp_abc123').min(1, 'must not be empty');
  const data = z.union(
    [z.literal('all'), z.array(z.enum(names, { error: `must be one of ${names.join(', ')}` })).min(1)],
    {
      error: (issue) =>
        Array.isArray(issue.input) ? `allowed data types: ${names.join(', ')}` : 'must be all or a list of data types',
    },
  );
  const schedule = z
    .string('must be a cron expression such as "*/15 * * * *"')
    .regex(/^(\S+\s+){4,5}\S+$/, 'must be a cron expression of five fields, such as "*/15 * * * *"');
  const share = z.number('must be a number from 0 to 1').min(0).max(1);
  const count = (most: number) => z.number(`must be a whole number from 1 to ${most}`).int().min(1).max(most);
  const duration = z.string('must be a duration such as 30s, 15m, 1h or 7d').transform((text, context) => {
    const ms = parseDuration(text);
    if (ms === undefined)
      context.addIssue({ code: 'custom', message: 'must be a duration such as 30s, 15m, 1h or 7d' });
    return ms ?? 0;
  });
  const named = z.strictObject({
    id,
    data: data.optional(),
    schedule: schedule.optional(),
    rooms: z.array(id).min(1).optional(),
    participants: z
      .array(z.strictObject({ id, room: id }))
      .min(1)
      .optional(),
    deployments: z.array(id).min(1).optional(),
  });
  const all = z.strictObject({ all: z.literal(true), data: data.optional(), schedule: schedule.optional() });
  const options = z.strictObject(
    Object.fromEntries(Object.entries(dataTypes).map(([name, kinds]) => [name, optionsSchema(kinds).optional()])),
  );
  return z.strictObject({
    api: z
      .strictObject({
        baseUrl: z.string().default(PRODUCTION).transform(checkBaseUrl),
        key: z.string('must be a text').optional(),
        keyFile: z.string('must be a path').optional(),
        limits: z
          .strictObject({
            perHour: count(100_000).default(1000),
            perEndpointPerMinute: count(10_000).default(100),
            reserve: share.max(0.9).default(0.1),
          })
          .prefault({}),
        pageSize: count(10_000).default(1000),
        concurrency: count(20).default(4),
        timeout: duration.default(60_000),
      })
      .prefault({}),
    warehouse: z.strictObject({ path: z.string('must be a path').min(1).default('./data/hyperstudy.db') }).prefault({}),
    schedule: schedule.default('*/15 * * * *'),
    data: data.default('all'),
    experiments: z
      .array(experimentSchema(named, all), 'must be a list of experiments')
      .min(1, 'must name at least one experiment, or `- all: true`'),
    options: options.default({}),
    lookback: duration.default(3_600_000),
    history: z.boolean('must be true or false').default(true),
    deletes: z.strictObject({ maxShare: share.default(0.1) }).prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(
            ['silent', 'error', 'warn', 'info', 'debug', 'trace'],
            'must be silent, error, warn, info, debug or trace',
          )
          .default('info'),
        pretty: z.union([z.literal('auto'), z.boolean()], 'must be auto, true or false').default('auto'),
      })
      .prefault({}),
  });
}

/** Chosen by `all`, so that a mistake in one form is not reported as the other form's. */
function experimentSchema<N extends z.ZodType, A extends z.ZodType>(named: N, all: A) {
  return z.unknown().transform((value, context): z.output<N> | z.output<A> => {
    const isAll = typeof value === 'object' && value !== null && 'all' in value;
    const parsed = (isAll ? all : named).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
    return z.NEVER;
  });
}

function optionsSchema(kinds: OptionKinds[string]) {
  const one = {
    number: z.number('must be a number'),
    boolean: z.boolean('must be true or false'),
    strings: z.union([z.string(), z.array(z.string()).min(1)], 'must be a text or a list of texts'),
  };
  return z.strictObject(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, one[kind].optional()])));
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function checkBaseUrl(text: string, context: z.RefinementCtx): string {
  const problem = (message: string) => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(text)) {
    problem('must be a web address such as https://api.hyperstudy.io/api/v3');
    return text;
  }
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    problem('must begin with https:// (http:// is accepted for this computer only), as the key is sent there');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    problem('must be a plain address without user, query or fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
