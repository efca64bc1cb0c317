import { z } from 'zod';
import type { LogLevel } from '../shared/log.ts';
import { alertsSchema, type AlertsConfig } from './alerts.ts';
import { isCron } from './cron.ts';
import { addressProblem, dateOrNever, duration, group, listOf } from './fields.ts';
import { nearest } from './suggest.ts';
import { HOUR_MS } from '../shared/time.ts';

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
    /** When the key ends, in milliseconds since 1970 UTC, as far as somebody wrote it down: the API does not tell. */
    readonly keyExpiresAt?: number | undefined;
    readonly limits: { readonly perHour: number; readonly perEndpointPerMinute: number; readonly reserve: number };
    /** Records a request; `auto`: as many as each endpoint turns out to serve. */
    readonly pageSize: number | 'auto';
    readonly concurrency: number;
    readonly timeoutMs: number;
  };
  /** Absolute. */
  readonly warehouse: { readonly path: string };
  /** `adaptive` or a cron expression. */
  readonly schedule: string;
  /** The time zone in which cron expressions are meant, by its IANA name. */
  readonly timeZone: string;
  readonly reconcile: { readonly schedule: string; readonly budgetShare: number };
  /** Where the daemon answers; undefined: nowhere. */
  readonly http: { readonly host: string; readonly port: number; readonly token: string | undefined } | undefined;
  readonly data: readonly string[] | 'all';
  readonly experiments: readonly ExperimentConfig[];
  readonly options: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  readonly lookbackMs: number;
  readonly history: boolean;
  readonly deletes: { readonly maxShare: number };
  /** Who is told of trouble; nobody when it is left out. */
  readonly alerts?: AlertsConfig | undefined;
  /** The settings whose secrets stand in the file itself: `http.token`. */
  readonly inlineSecrets?: readonly string[] | undefined;
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

/** Shorter ones can be guessed. */
export const MIN_TOKEN = 16;
export const SHORT_TOKEN = `must have at least ${MIN_TOKEN} characters`;

export const PRODUCTION = 'https://api.hyperstudy.io/api/v3';

/**
 * What the YAML file may hold, with the defaults of what it leaves out.
 * @param dataTypes the data types and their options.
 */
export function configSchema(dataTypes: OptionKinds) {
  const names = Object.keys(dataTypes);
  const id = z.string('must be a text such as exp_abc123').min(1, 'must not be empty');
  const type = z.enum(names, { error: ({ input }) => unknownType(input, names) });
  const data = z.union([z.literal('all'), z.array(type).min(1, 'must name at least one data type, or be all')], {
    error: 'must be all or a list of data types',
  });
  const cron = z
    .string('must be a cron expression such as "*/15 * * * *"')
    .refine(isCron, 'must be a cron expression of five fields whose days there are, such as "*/15 * * * *"');
  const adaptiveOrCron = 'must be adaptive, or a cron expression whose days there are, such as "*/15 * * * *"';
  const schedule = z.string(adaptiveOrCron).refine((text) => text === 'adaptive' || isCron(text), adaptiveOrCron);
  const share = (most: number) => z.number(`must be a number from 0 to ${most}`).min(0).max(most);
  const count = (most: number) => z.number(`must be a whole number from 1 to ${most}`).int().min(1).max(most);
  const named = group({
    id,
    data: data.optional(),
    schedule: schedule.optional(),
    rooms: listOf(id).optional(),
    participants: listOf(group({ id, room: id })).optional(),
    deployments: listOf(id).optional(),
  });
  const all = group({
    all: z.literal(true, 'must be true; to leave the experiments out, remove the entry'),
    data: data.optional(),
    schedule: schedule.optional(),
  });
  const options = group(
    Object.fromEntries(Object.entries(dataTypes).map(([name, kinds]) => [name, optionsSchema(kinds).optional()])),
  );
  return group({
    api: group({
      baseUrl: z.string().default(PRODUCTION).transform(checkBaseUrl),
      key: z.string('must be a text').optional(),
      keyFile: z.string('must be a path').optional(),
      keyExpires: dateOrNever().optional(),
      limits: group({
        perHour: count(100_000).default(1000),
        perEndpointPerMinute: count(10_000).default(100),
        reserve: share(0.9).default(0.1),
      }).prefault({}),
      pageSize: z
        .union([z.literal('auto'), count(10_000)], 'must be auto or a whole number from 1 to 10000')
        .default('auto'),
      concurrency: count(20).default(4),
      timeout: duration('1s', '1h').default(60_000),
    }).prefault({}),
    warehouse: group({ path: z.string('must be a path').min(1).default('./data/hyperstudy.db') }).prefault({}),
    schedule: schedule.default('adaptive'),
    timeZone: z.string().refine(isTimeZone, 'must be the name of a time zone such as Europe/Berlin').default('UTC'),
    reconcile: group({
      schedule: cron.default('17 3 * * *'),
      budgetShare: share(1).default(0.2),
    }).prefault({}),
    http: httpSchema().prefault({}),
    data: data.default('all'),
    experiments: z
      .array(experimentSchema(named, all), 'must be a list of experiments')
      .min(1, 'must name at least one experiment, or `- all: true`')
      .superRefine(eachOnce),
    options: options.default({}),
    lookback: duration('0s', '365d').default(HOUR_MS),
    history: z.boolean('must be true or false').default(true),
    deletes: group({ maxShare: share(1).default(0.1) }).prefault({}),
    alerts: alertsSchema().prefault({}),
    log: group({
      level: z
        .enum(
          ['silent', 'error', 'warn', 'info', 'debug', 'trace'],
          'must be silent, error, warn, info, debug or trace',
        )
        .default('info'),
      pretty: z.union([z.literal('auto'), z.boolean()], 'must be auto, true or false').default('auto'),
    }).prefault({}),
  });
}

function httpSchema() {
  return z.union(
    [
      z.literal(false),
      group({
        host: z.string('must be an address').min(1).default('127.0.0.1'),
        port: z.number('must be a port from 0 to 65535').int().min(0).max(65_535).default(8788),
        token: z.string('must be a text').min(MIN_TOKEN, SHORT_TOKEN).optional(),
        tokenFile: z.string('must be a path').min(1, 'must be a path').optional(),
      }).superRefine(({ token, tokenFile }, context) => {
        if (token !== undefined && tokenFile !== undefined)
          context.addIssue({ code: 'custom', message: 'must have either token or tokenFile' });
      }),
    ],
    'must be false, or hold settings, which may be: host, port, token, tokenFile',
  );
}

function unknownType(input: unknown, names: readonly string[]): string {
  const meant = typeof input === 'string' ? nearest(input, names) : undefined;
  const shown = typeof input === 'string' ? ` "${input}"` : '';
  return `unknown data type${shown}${meant === undefined ? '' : `, did you mean "${meant}"?`}; allowed: ${names.join(', ')}`;
}

/** Two entries for one experiment would leave open which of them counts. */
function eachOnce(experiments: readonly ExperimentConfig[], context: z.RefinementCtx): void {
  const names = experiments.map((experiment) => ('id' in experiment ? experiment.id : undefined));
  names.forEach((name, i) => {
    if (names.indexOf(name) === i) return;
    const message = `${name ?? 'all'} stands here a second time: put its settings into one entry`;
    context.addIssue({ code: 'custom', path: [i], message });
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

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function optionsSchema(kinds: OptionKinds[string]) {
  const one = {
    number: z.number('must be a number'),
    boolean: z.boolean('must be true or false'),
    strings: z.union([z.string(), z.array(z.string()).min(1)], 'must be a text or a list of texts'),
  };
  return group(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, one[kind].optional()])));
}

function checkBaseUrl(text: string, context: z.RefinementCtx): string {
  const problem = (message: string) => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(text)) {
    problem('must be a web address such as https://api.hyperstudy.io/api/v3');
    return text;
  }
  const url = new URL(text);
  const found = addressProblem(url);
  if (found !== undefined) problem(`${found}, as the key is sent there`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    problem('must be a plain address without user, query or fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
