import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { alertsSchema, resolveAlerts, type AlertsConfig } from './alerts.ts';
import { apiSchema } from './api.ts';
import { isCron } from './cron.ts';
import { duration, group, listOf, share } from './fields.ts';
import { mediaSchema } from './media.ts';
import { privacySchema } from './privacy.ts';
import { publishSchema, resolvePublish } from './publish.ts';
import { nearest } from './suggest.ts';

/** The options of a data type, by name; passed in, as the data types are declared elsewhere. */
export type OptionKinds = Readonly<Record<string, Readonly<Record<string, 'number' | 'boolean' | 'strings'>>>>;

/** Shorter tokens can be guessed. */
export const MIN_TOKEN = 16;
export const SHORT_TOKEN = `must have at least ${MIN_TOKEN} characters`;

/**
 * What the YAML file may hold, with defaults for what it leaves out.
 * @param dataTypes the data types and their options.
 */
export function configSchema(dataTypes: OptionKinds) {
  const names = Object.keys(dataTypes);
  const id = z.string('must be a string such as exp_abc123').min(1, 'must not be empty');
  const type = z.enum(names, { error: ({ input }) => unknownType(input, names) });
  const data = z.union([z.literal('all'), z.array(type).min(1, 'must name at least one data type, or be all')], {
    error: 'must be all or a list of data types',
  });
  const cron = z
    .string('must be a cron expression such as "*/15 * * * *"')
    .refine(isCron, 'must be a cron expression of five fields whose days exist, such as "*/15 * * * *"')
    .meta({ title: 'cron expression' });
  const adaptiveOrCron = 'must be adaptive, or a cron expression whose days exist, such as "*/15 * * * *"';
  const schedule = z
    .string(adaptiveOrCron)
    .refine((text) => text === 'adaptive' || isCron(text), adaptiveOrCron)
    .meta({ title: 'adaptive, or a cron expression' });
  const { named, all } = experimentForms(id, data, schedule);
  const options = group(
    Object.fromEntries(Object.entries(dataTypes).map(([name, kinds]) => [name, optionsSchema(kinds).optional()])),
  );
  return group({
    api: apiSchema().prefault({}),
    warehouse: group({
      path: z
        .string('must be a path')
        .min(1)
        .default('./data/hyperstudy.db')
        .describe('The SQLite file, relative to the folder of the configuration file. It must be on a local disk.'),
      queryIndexes: z
        .boolean('must be true or false')
        .default(true)
        .describe(
          'Build further indexes for what is often asked, once a table has been read for the first time. That of continuous ratings takes about a tenth of the file. `false` drops them.',
        ),
    }).prefault({}),
    derive: deriveSchema(),
    schedule: schedule
      .default('adaptive')
      .describe(
        'When the daemon reads: `adaptive` spends the limits where data arrive; or a cron expression (minute hour day month weekday).',
      ),
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be the name of a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('The time zone of cron expressions, by its IANA name, such as Europe/Berlin.'),
    reconcile: group({
      schedule: cron
        .default('17 3 * * *')
        .describe('When the daemon compares what it has read with the API, as a cron expression.'),
      budgetShare: share(1).default(0.2).describe('The share of the hourly limit that this may spend.'),
    }).prefault({}),
    http: httpSchema()
      .prefault({})
      .describe('Where the daemon serves its dashboard, /healthz and /metrics; `false` turns them off.'),
    data: data.default('all').describe(`The data types to read: all, or a list of ${names.join(', ')}.`),
    experiments: z
      .array(experimentSchema(named, all), 'must be a list of experiments')
      .min(1, 'must name at least one experiment, or `- all: true`')
      .superRefine(eachOnce)
      .describe('The experiments to copy: `- all: true`, or one entry for each.'),
    options: options.default({}).describe('Additional query parameters, by data type.'),
    lookback: duration('0s', '365d')
      .prefault('1h')
      .describe(
        'How far behind the newest row each sync reads again. A room counts as finished when it ended longer ago than this.',
      ),
    history: historySchema(),
    media: mediaSchema().prefault({}),
    privacy: privacySchema().prefault({}),
    deletes: group({
      maxShare: share(1)
        .default(0.1)
        .describe(
          'The share of a stream that may be deleted within a day without your consent. Deleting all of a stream always needs it.',
        ),
    }).prefault({}),
    schema: z
      .enum(['follow', 'freeze'], 'must be follow or freeze')
      .default('follow')
      .describe(
        'What happens when records bring a new field, or values of another type: `follow` stores them and says so; `freeze` stores them as well, but stops the stream, which is incomplete until you run `hsw sync now --accept-schema`.',
      ),
    publish: publishSchema().describe('What the daemon publishes of the warehouse; without it, nothing.'),
    alerts: alertsSchema().prefault({}),
    log: logSchema().prefault({}),
  });
}

/** What belongs to a configuration besides its settings. */
interface Found {
  /** The file it was read from. */
  readonly path: string;
  /** What the environment sets instead of the file. */
  readonly api: { readonly baseUrl?: string; readonly organization?: string };
  /** Undefined only for commands that do not need it. */
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** Of the pseudonyms; undefined where none are made, and for commands that make none. */
  readonly privacyKey: string | undefined;
  readonly alerts: AlertsConfig;
  /** The settings whose secrets are written in the file itself: `http.token`. */
  readonly inlineSecrets: string[];
}

/** The configuration made from checked settings and what else belongs to it. */
export function complete(settings: z.output<ReturnType<typeof configSchema>>, found: Found) {
  const { api, http, lookback, warehouse, privacy, media, publish, ...rest } = settings;
  const { baseUrl, organization, limits, pageSize, concurrency, timeout, keyExpires } = api;
  const { path, inlineSecrets, alerts } = found;
  return {
    ...rest,
    path,
    inlineSecrets,
    alerts,
    api: {
      baseUrl: found.api.baseUrl ?? baseUrl,
      organization: found.api.organization ?? organization,
      key: found.key,
      /** In milliseconds since 1970 UTC, where the configuration says so: the API does not. */
      keyExpiresAt: keyExpires,
      limits,
      pageSize,
      concurrency,
      timeoutMs: timeout,
    },
    /** Absolute. */
    warehouse: { ...warehouse, path: resolve(dirname(path), warehouse.path) },
    lookbackMs: lookback,
    publish: resolvePublish(publish, path),
    /** The path is absolute. */
    media: { ...media, path: resolve(dirname(path), media.path) },
    privacy: {
      drop: privacy.drop,
      pseudonymise: privacy.pseudonymise,
      key: found.privacyKey,
      /** Absolute. */
      keyFile: privacy.key === undefined ? undefined : resolve(dirname(path), privacy.key),
    },
    /** Where the daemon's HTTP server listens; undefined for nowhere. */
    http: http === false ? undefined : { host: http.host, port: http.port, token: found.token },
  };
}

/** The configuration as the rest of the code uses it: complete, checked and frozen. */
export type Config = Frozen<ReturnType<typeof complete>>;
export type ExperimentConfig = Config['experiments'][number];

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Frozen<T[Name]> }
    : T;

/** Optional tables that are computed. */
function deriveSchema() {
  return group({
    ratingsGrid: duration('10ms', '1m')
      .optional()
      .describe(
        'Keep the table `ratings_grid`: the continuous ratings at common instants, this far from each other. Without it, the table is dropped.',
      ),
  }).prefault({});
}

/** The configuration of a file that only says `all: true`. */
export function defaultConfig(dataTypes: OptionKinds): Config {
  const settings = configSchema(dataTypes).parse({ experiments: [{ all: true }] });
  const { alerts } = resolveAlerts(settings.alerts, undefined);
  const nothing = { api: {}, key: undefined, token: undefined, privacyKey: undefined, inlineSecrets: [] };
  return complete(settings, { ...nothing, path: '(defaults)', alerts });
}

/** Whether earlier versions of rows are kept. */
function historySchema() {
  return z
    .union([z.boolean(), group({ keep: duration('1d', '3650d') })], 'must be true, false, or a mapping with keep')
    .default(true)
    .describe(
      'Keep deleted records and earlier versions of changed ones in the table `_history`: for good (`true`, the default), never (`false`), or for a time, as `{ keep: 90d }`, after which backups of migrations end as well.',
    );
}

function logSchema() {
  return group({
    level: z
      .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'], 'must be silent, error, warn, info, debug or trace')
      .default('info')
      .describe('The lowest level that is logged.'),
    pretty: z
      .union([z.literal('auto'), z.boolean()], 'must be auto, true or false')
      .default('auto')
      .describe('Coloured lines for people instead of JSON; `auto` does so on a terminal.'),
  });
}

/** The two forms of an entry of `experiments`: one experiment by its id, or all of them. */
export function experimentForms<Id extends z.ZodType, Data extends z.ZodType, Schedule extends z.ZodType>(
  id: Id,
  data: Data,
  schedule: Schedule,
) {
  const common = {
    data: data.optional().describe('Only these data types, instead of the ones under `data`.'),
    schedule: schedule.optional().describe('Its own schedule: adaptive, or a cron expression.'),
  };
  return {
    named: group({
      id: id.describe('The id of the experiment.'),
      ...common,
      rooms: listOf(id).optional().describe('Only these rooms.'),
      participants: listOf(group({ id, room: id }))
        .optional()
        .describe('Only these participants, each with the room they took part in.'),
      deployments: listOf(id).optional().describe('Only these deployments.'),
    }),
    all: group({
      all: z
        .literal(true, 'must be true; to leave the other experiments out, remove the entry')
        .describe('Every experiment that the key can see, with those that other organizations share.'),
      ...common,
    }),
  };
}

function httpSchema() {
  return z.union(
    [
      z.literal(false),
      group({
        host: z
          .string('must be an address')
          .min(1)
          .default('127.0.0.1')
          .describe(
            'The address that the dashboard listens on. Any address other than this computer’s own needs `token` or `tokenFile`; on this computer the daemon makes a token of its own without them.',
          ),
        port: z
          .number('must be a port from 0 to 65535')
          .int()
          .min(0)
          .max(65_535)
          .default(8788)
          .describe('The port that the dashboard listens on.'),
        token: z
          .string('must be a string')
          .min(MIN_TOKEN, SHORT_TOKEN)
          .optional()
          .describe(`The password of the dashboard, at least ${MIN_TOKEN} characters long.`),
        tokenFile: z
          .string('must be a path')
          .min(1, 'must be a path')
          .optional()
          .describe('A file that holds only the token (chmod 600). Use either this or `token`.'),
      }).superRefine(({ token, tokenFile }, context) => {
        if (token !== undefined && tokenFile !== undefined)
          context.addIssue({ code: 'custom', message: 'must have either token or tokenFile' });
      }),
    ],
    'must be false, or a mapping with any of: host, port, token, tokenFile',
  );
}

function unknownType(input: unknown, names: readonly string[]): string {
  const meant = typeof input === 'string' ? nearest(input, names) : undefined;
  const shown = typeof input === 'string' ? ` "${input}"` : '';
  return `unknown data type${shown}${meant === undefined ? '' : `, did you mean "${meant}"?`}; allowed: ${names.join(', ')}`;
}

/** With two entries for one experiment, it would be unclear which of them counts. */
function eachOnce(experiments: readonly ({ id: string } | { all: true })[], context: z.RefinementCtx): void {
  const names = experiments.map((experiment) => ('id' in experiment ? experiment.id : undefined));
  names.forEach((name, i) => {
    if (names.indexOf(name) === i) return;
    const message = `${name ?? 'all'} is listed twice: put its settings into one entry`;
    context.addIssue({ code: 'custom', path: [i], message });
  });
}

/** Told apart by `all`, so that a mistake in one form is not reported against the other. */
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
    strings: z.union([z.string(), z.array(z.string()).min(1)], 'must be a string or a list of strings'),
  };
  return group(Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, one[kind].optional()])));
}
