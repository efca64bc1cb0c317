import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { WarehouseError } from '../shared/errors.ts';
import { configSchema, type Config, type OptionKinds } from './schema.ts';
import { nearest } from './suggest.ts';

/** Where a configuration is looked for when none is named. */
export const SEARCHED = ['./config.yaml', '/etc/hyperstudy-warehouse/config.yaml'];

export interface LoadOptions {
  /** The file named on the command line, if any. */
  readonly path: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataTypes: OptionKinds;
  /** Whether the command talks to the API. */
  readonly needsKey: boolean;
}

/** A mistake in the file, and the line where it stands. */
interface Problem {
  readonly line: number | undefined;
  readonly text: string;
}

/**
 * Reads YAML, environment and secret files into one frozen configuration.
 * @throws WarehouseError CONFIG_NOT_FOUND, KEY_MISSING, or CONFIG_INVALID, which lists every mistake with its line.
 */
export function loadConfig(options: LoadOptions): Config {
  const path = findConfig(options.path);
  const lines = new LineCounter();
  const document = readDocument(path, lines);
  const problems = yamlProblems(document, lines);
  if (problems.length > 0) throw invalid(path, problems);

  const { value, missing } = substitute(document.toJS() as unknown, options.env);
  for (const at of missing) {
    if (pathText(at.path) === 'api.key') continue;
    problems.push({
      line: lineOf(document, lines, at.path),
      text: `${pathText(at.path)}: the environment variable ${at.name} is not set`,
    });
  }
  const parsed = configSchema(options.dataTypes).safeParse(value ?? {});
  if (!parsed.success) {
    const known = [
      ...KNOWN_KEYS,
      ...Object.keys(options.dataTypes),
      ...Object.values(options.dataTypes).flatMap(Object.keys),
    ];
    problems.push(...parsed.error.issues.flatMap((issue) => explain(issue, known, document, lines)));
  }
  if (!parsed.success || problems.length > 0) throw invalid(path, problems);
  const keyFromEnv = options.env['HYPERSTUDY_API_KEY'];
  const secret = readKey(parsed.data.api, { path, document, lines, keyFromEnv });
  if ('problem' in secret) throw invalid(path, [secret.problem]);
  if (options.needsKey && secret.key === undefined) throw noKey();

  const { api, lookback, ...rest } = parsed.data;
  const { timeout, baseUrl, limits, pageSize, concurrency } = api;
  const fromEnv = options.env['HYPERSTUDY_BASE_URL'];
  return freeze({
    ...rest,
    path,
    api: {
      baseUrl: fromEnv === undefined ? baseUrl : checkedBaseUrl(fromEnv, options.dataTypes),
      key: secret.key,
      limits,
      pageSize,
      concurrency,
      timeoutMs: timeout,
    },
    warehouse: { path: resolve(dirname(path), rest.warehouse.path) },
    lookbackMs: lookback,
    options: rest.options as Config['options'],
  });
}

function findConfig(named: string | undefined): string {
  const found = (named === undefined ? SEARCHED : [named]).find((path) => existsSync(path));
  if (found !== undefined) return resolve(found);
  throw new WarehouseError(
    'CONFIG_NOT_FOUND',
    named === undefined
      ? `There is no configuration: neither ${SEARCHED.join(' nor ')} exists.`
      : `There is no configuration at ${named}.`,
    {
      hint: 'Run `hsw init` to make one, or copy config.example.yaml and edit it.',
    },
  );
}

function readDocument(path: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(readFileSync(path, 'utf8'), { lineCounter, prettyErrors: false, uniqueKeys: true });
  } catch (cause) {
    throw new WarehouseError('CONFIG_INVALID', `The configuration ${path} cannot be read.`, {
      hint: 'Check that it is a text file that you may read.',
      cause,
    });
  }
}

function yamlProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  // An unknown tag is only a warning to the parser, but not what anybody meant.
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    text: message,
  }));
  if (problems.length > 0) return problems;
  try {
    document.toJS();
    return [];
  } catch (error) {
    return [{ line: undefined, text: error instanceof Error ? error.message : 'is no YAML' }];
  }
}

/** Puts environment variables in the place of `${NAME}` in every text of the file. */
function substitute(
  value: unknown,
  env: LoadOptions['env'],
): { value: unknown; missing: { path: PropertyKey[]; name: string }[] } {
  const missing: { path: PropertyKey[]; name: string }[] = [];
  const visit = (at: unknown, path: PropertyKey[]): unknown => {
    if (Array.isArray(at)) return at.map((item, i) => visit(item, [...path, i]));
    if (typeof at === 'object' && at !== null)
      return Object.fromEntries(Object.entries(at).map(([key, member]) => [key, visit(member, [...path, key])]));
    if (typeof at !== 'string') return at;
    const whole = at.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      if (env[name] === undefined) missing.push({ path, name });
      return env[name] ?? '';
    });
    return whole === '' && at !== '' && path.at(-1) === 'key' ? undefined : whole;
  };
  return { value: visit(value, []), missing };
}

function explain(
  issue: z.core.$ZodIssue,
  known: readonly string[],
  document: Document.Parsed,
  lines: LineCounter,
): Problem[] {
  const at = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return {
        line: keyLine(document, lines, [...issue.path, key]),
        text: `${at === '' ? '' : `${at}: `}unknown key "${key}"${meant === undefined ? '' : `, did you mean "${meant}"?`}`,
      };
    });
  }
  return [{ line: lineOf(document, lines, issue.path), text: `${at === '' ? 'the file' : at}: ${sentence(issue)}` }];
}

/** Every key that the configuration knows anywhere: near misses are looked for among them. */
const KNOWN_KEYS = (
  'api baseUrl key keyFile limits perHour perEndpointPerMinute reserve pageSize concurrency timeout warehouse path schedule ' +
  'data experiments id rooms participants room deployments all options lookback history deletes maxShare log level pretty'
).split(' ');

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union')
    return (
      issue.errors
        .flat()
        .map(({ message }) => message)
        .find((message) => message.startsWith('must be one of')) ?? issue.message
    );
  if (issue.message.startsWith('Invalid input: expected') && issue.message.endsWith('undefined')) return 'is missing';
  return issue.message;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

/** The line of the innermost part of a path that the file has. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: [number, number, number] | null } | null | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function keyLine(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true) as
    { items?: { key: { value?: unknown; range?: [number, number, number] } }[] } | undefined;
  const range = parent?.items?.find(({ key }) => key.value === path.at(-1))?.key.range;
  return range === undefined ? lineOf(document, lines, path) : lines.linePos(range[0]).line;
}

function invalid(path: string, problems: readonly Problem[]): WarehouseError {
  const list = problems.map(({ line, text }) => `  ${path}${line === undefined ? '' : `:${line}`}: ${text}`);
  return new WarehouseError(
    'CONFIG_INVALID',
    `The configuration has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${list.join('\n')}`,
    {
      hint: 'config.example.yaml shows every key with its default.',
    },
  );
}

function noKey(): WarehouseError {
  return new WarehouseError('KEY_MISSING', 'There is no API key.', {
    hint: 'Set the environment variable HYPERSTUDY_API_KEY, or name a file that holds the key as api.keyFile in the config.',
  });
}

/** `hst_live_…` and `hst_test_…` (HyperStudy's page on API keys). */
const KEY_FORM = /^hst_(live|test)_[A-Za-z0-9_-]{8,256}$/;

function readKey(
  api: { key?: string | undefined; keyFile?: string | undefined },
  from: { path: string; document: Document.Parsed; lines: LineCounter; keyFromEnv: string | undefined },
): { key: string | undefined } | { problem: Problem } {
  const at = (name: string, text: string) => ({
    problem: { line: lineOf(from.document, from.lines, ['api', name]), text: `api.${name}: ${text}` },
  });
  const written = from.document.getIn(['api', 'key']);
  const isPlain = typeof written === 'string' && !written.includes('${');
  if (isPlain && (statSync(from.path).mode & 0o077) !== 0) {
    return at(
      'key',
      'a key may stand in the file only when nobody else can read it: run chmod 600 on the file, or write ${HYPERSTUDY_API_KEY} here and set that variable',
    );
  }
  if (api.key !== undefined && api.keyFile !== undefined && from.keyFromEnv === undefined)
    return at('keyFile', 'give either key or keyFile, not both');
  let key = from.keyFromEnv ?? api.key;
  if (key === undefined && api.keyFile !== undefined) {
    const file = resolve(dirname(from.path), api.keyFile);
    try {
      if ((statSync(file).mode & 0o007) !== 0) return at('keyFile', `everybody can read ${file}: run chmod 600 on it`);
      key = readFileSync(file, 'utf8').trim();
    } catch {
      return at('keyFile', `${file} cannot be read`);
    }
  }
  key = key?.trim();
  if (key === undefined || key === '') return { key: undefined };
  return KEY_FORM.test(key)
    ? { key }
    : at(
        api.keyFile === undefined ? 'key' : 'keyFile',
        'does not look like a HyperStudy key (hst_live_… or hst_test_…); the key itself is not shown here',
      );
}

function checkedBaseUrl(text: string, dataTypes: OptionKinds): string {
  const parsed = configSchema(dataTypes).shape.api.safeParse({ baseUrl: text });
  if (parsed.success) return parsed.data.baseUrl;
  throw new WarehouseError(
    'CONFIG_INVALID',
    `The environment variable HYPERSTUDY_BASE_URL ${parsed.error.issues[0]?.message ?? 'is no web address'}.`,
    {
      hint: 'Correct it or unset it; the config file then decides.',
    },
  );
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}
