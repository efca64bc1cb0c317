import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { WarehouseError } from '../shared/errors.ts';
import { scrub } from '../shared/log.ts';
import { resolveAlerts } from './alerts.ts';
import { environment, substitute } from './environment.ts';
import { findKey, noKey } from './find-key.ts';
import { CREDENTIALS, readKeyCredential, type SecretSource } from './key.ts';
import { complete, configSchema, MIN_TOKEN, SHORT_TOKEN, type Config, type OptionKinds } from './schema.ts';
import { inlineSecrets, secretSource } from './secrets.ts';
import { nearest } from './suggest.ts';

/** Where to look for a configuration when none is named. */
export const SEARCHED = ['./config.yaml', '/etc/hyperstudy-warehouse/config.yaml'];

export interface LoadOptions {
  /** The file named on the command line, if any. */
  readonly path: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataTypes: OptionKinds;
  /** Whether the command talks to the API. */
  readonly needsKey: boolean;
  /** Whether the command sends alerts or serves the dashboard; if not, their secrets are not read from files. */
  readonly needsSecrets?: boolean;
}

/** A mistake in the file, and its line. */
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

  const written = document.toJS() as unknown;
  const { value, missing } = substitute(written, options.env);
  for (const { path: at, name } of missing) {
    if (pathText(at) !== 'api.key')
      problems.push({
        line: lineOf(document, lines, at),
        text: `${pathText(at)}: the environment variable ${name} is not set`,
      });
  }
  const schema = configSchema(options.dataTypes);
  const parsed = schema.safeParse(value ?? {});
  const unset = new Set(missing.map(({ path: at }) => pathText(at)));
  for (const issue of parsed.error?.issues ?? []) {
    // The empty value of an unset variable is not a second mistake.
    if (!unset.has(pathText(issue.path))) problems.push(...explain(issue, document, lines));
  }
  const fromEnv = apiFromEnv(schema, options.env);
  for (const text of fromEnv.problems) problems.push({ line: undefined, text });
  const source = options.needsSecrets === false ? undefined : secretSource(dirname(path), options.env);
  const alerts = alertsIn(schema, value, source);
  for (const { at, text } of alerts?.problems ?? [])
    problems.push({ line: lineOf(document, lines, ['alerts', ...at]), text: `alerts.${at.join('.')}: ${text}` });
  const token = tokenIn(schema, value, source);
  if ('problem' in token)
    problems.push({ line: lineOf(document, lines, ['http', 'tokenFile']), text: `http.tokenFile: ${token.problem}` });
  const keyUnset = missing.find(({ path: at }) => pathText(at) === 'api.key')?.name;
  const secret = findKey({
    path,
    written,
    value,
    keyUnset,
    keyFromEnv: environment(options.env, 'HYPERSTUDY_API_KEY'),
    credential: () => readKeyCredential(options.env),
  });
  if ('problem' in secret) {
    const { name, text } = secret.problem;
    problems.push(
      name === undefined
        ? { line: undefined, text }
        : { line: lineOf(document, lines, ['api', name]), text: `api.${name}: ${text}` },
    );
  }
  if (!parsed.success || 'problem' in secret || 'problem' in token || alerts === undefined || problems.length > 0)
    throw invalid(path, problems);
  if (options.needsKey && secret.key === undefined) throw noKey(keyUnset);

  return freeze(
    complete(parsed.data, {
      path,
      api: fromEnv.api,
      key: secret.key,
      token: token.token,
      alerts: alerts.alerts,
      inlineSecrets: inlineSecrets(written),
    }),
  );
}

function findConfig(named: string | undefined): string {
  const found = (named === undefined ? SEARCHED : [named]).find((path) => existsSync(path));
  if (found !== undefined) return resolve(found);
  throw new WarehouseError(
    'CONFIG_NOT_FOUND',
    named === undefined
      ? `No configuration found: neither ${SEARCHED.join(' nor ')} exists.`
      : `No configuration found at ${named}.`,
    {
      hint: 'Run `hsw init` to create one, or copy config.example.yaml and edit it.',
    },
  );
}

function readDocument(path: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(readFileSync(path, 'utf8'), { lineCounter, prettyErrors: false, uniqueKeys: true });
  } catch (cause) {
    throw new WarehouseError('CONFIG_INVALID', `The configuration ${path} cannot be read.`, {
      hint: 'Check that it is a text file that you can read.',
      cause,
    });
  }
}

function yamlProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  // An unknown tag is only a warning to the parser, but surely a mistake.
  const problems = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    line: lines.linePos(pos[0]).line,
    text:
      code === 'MULTIPLE_DOCS'
        ? 'a second document starts at ---; the configuration must be a single document'
        : message,
  }));
  if (problems.length > 0) return problems;
  try {
    document.toJS();
    return [];
  } catch (error) {
    return [{ line: undefined, text: error instanceof Error ? error.message : 'is not valid YAML' }];
  }
}

function explain(issue: z.core.$ZodIssue, document: Document.Parsed, lines: LineCounter): Problem[] {
  const at = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const allowed = issue.message === '' ? [] : issue.message.split(', ');
    return issue.keys.map((key) => ({
      line: keyLine(document, lines, [...issue.path, key]),
      text: `${at === '' ? '' : `${at}: `}unknown key "${key}"${meantOrAllowed(key, allowed)}`,
    }));
  }
  if (issue.code === 'invalid_union') {
    // If only part of a form is wrong, it is the form that was meant.
    const meant = issue.errors.find((issues) => issues.some(({ path }) => path.length > 0)) ?? [];
    if (meant.length > 0)
      return meant.flatMap((part) => explain({ ...part, path: [...issue.path, ...part.path] }, document, lines));
  }
  return [{ line: lineOf(document, lines, issue.path), text: `${at === '' ? 'the file' : at}: ${issue.message}` }];
}

function meantOrAllowed(key: string, allowed: readonly string[]): string {
  const meant = nearest(key, allowed);
  if (meant !== undefined) return `, did you mean "${meant}"?`;
  return allowed.length === 0 ? '; nothing can be set here' : `; allowed here: ${allowed.join(', ')}`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

/** The line of the innermost part of a path that exists in the file. */
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
  const list = [
    ...new Set(problems.map(({ line, text }) => `  ${path}${line === undefined ? '' : `:${line}`}: ${text}`)),
  ];
  // A key may have been written where it does not belong.
  const text = scrub(
    `The configuration has ${list.length === 1 ? 'a mistake' : `${list.length} mistakes`}:\n${list.join('\n')}`,
  );
  return new WarehouseError('CONFIG_INVALID', text, { hint: 'config.example.yaml shows every key with its default.' });
}

/** What the environment says about the API, which takes precedence over the file. */
function apiFromEnv(
  { shape: { api } }: ReturnType<typeof configSchema>,
  env: LoadOptions['env'],
): { api: { baseUrl?: string; organization?: string }; problems: string[] } {
  const problems: string[] = [];
  const read = <Name extends 'baseUrl' | 'organization'>(name: Name, variable: string) => {
    const value = environment(env, variable);
    if (value === undefined) return {};
    const parsed = api.safeParse({ [name]: value });
    if (parsed.success) return { [name]: parsed.data[name] };
    problems.push(`the environment variable ${variable} ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
    return {};
  };
  return {
    api: { ...read('baseUrl', 'HYPERSTUDY_BASE_URL'), ...read('organization', 'HYPERSTUDY_ORGANIZATION_ID') },
    problems,
  };
}

/** The alerts with their secrets, whatever else is wrong in the file; undefined when they are wrong themselves. */
function alertsIn(schema: ReturnType<typeof configSchema>, value: unknown, source: SecretSource | undefined) {
  const written = schema
    .pick({ alerts: true })
    .strip()
    .safeParse(value ?? {});
  return written.success ? resolveAlerts(written.data.alerts, source) : undefined;
}

/** The token of the dashboard, whatever else is wrong in the file. */
function tokenIn(
  schema: ReturnType<typeof configSchema>,
  value: unknown,
  source: SecretSource | undefined,
): { token: string | undefined } | { problem: string } {
  const written = schema
    .pick({ http: true })
    .strip()
    .safeParse(value ?? {}).data?.http;
  if (written === undefined || written === false) return { token: undefined };
  const { token, tokenFile } = written;
  const found = token === undefined ? source?.(tokenFile, CREDENTIALS.httpToken) : { secret: token };
  if (found === undefined) return { token: undefined };
  if ('problem' in found) return found;
  return found.secret.length >= MIN_TOKEN
    ? { token: found.secret }
    : { problem: `the token in the file ${SHORT_TOKEN}` };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}
