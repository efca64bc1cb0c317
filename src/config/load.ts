import { dirname } from 'node:path';
import { z } from 'zod';
import { resolveAlerts } from './alerts.ts';
import { findConfig, invalid, readDocument, type Problem, type Written } from './document.ts';
import { environment, substitute, type Environment, type Unset } from './environment.ts';
import { allowedInstead } from './fields.ts';
import { findKey, noKey, type KeyProblem } from './find-key.ts';
import { CREDENTIALS, readKeyCredential, type SecretSource } from './key.ts';
import { complete, configSchema, MIN_TOKEN, SHORT_TOKEN, type Config, type OptionKinds } from './schema.ts';
import { inlineSecrets, secretSource } from './secrets.ts';
import { readPrivacyKey } from './privacy.ts';
import { nearest } from './suggest.ts';

export interface LoadOptions {
  /** The file named on the command line, if any. */
  readonly path: string | undefined;
  readonly env: Environment;
  readonly dataTypes: OptionKinds;
  /** Whether the command talks to the API. */
  readonly needsKey: boolean;
  /** Whether the command sends alerts or serves the dashboard; if not, their secrets are not read from files. */
  readonly needsSecrets?: boolean;
}

/**
 * Reads YAML, environment and secret files into one frozen configuration.
 * @throws WarehouseError CONFIG_NOT_FOUND, KEY_MISSING, or CONFIG_INVALID, which lists every mistake with its line.
 */
export function loadConfig({ path: named, env, dataTypes, needsKey, needsSecrets }: LoadOptions): Config {
  const path = findConfig(named);
  const written = readDocument(path);
  const { value, missing } = substitute(written.value, env);
  const schema = configSchema(dataTypes);
  const source = needsSecrets === false ? undefined : secretSource(dirname(path), env);
  const parsed = schema.safeParse(value ?? {});
  const fromEnv = apiFromEnv(schema, env);
  const alerts = alertsIn(schema, value, source);
  const token = tokenIn(schema, value, source);
  const privacyKey = needsKey ? privacyKeyIn(schema, value, dirname(path)) : undefined;
  const keyUnset = missing.find(isKey)?.name;
  const secret = findKey({
    path,
    written: written.value,
    value,
    keyUnset,
    keyFromEnv: environment(env, 'HYPERSTUDY_API_KEY'),
    credential: () => readKeyCredential(env),
  });
  const problems = [
    ...missing.filter((unset) => !isKey(unset)).map((unset) => unsetProblem(unset, written)),
    ...settingProblems(parsed.error?.issues ?? [], missing, written),
    ...fromEnv.problems.map((text) => ({ line: undefined, text })),
    ...(alerts?.problems ?? []).map(({ at, text }) => problemAt(['alerts', ...at], text, written)),
    ...('problem' in token ? [problemAt(['http', 'tokenFile'], token.problem, written)] : []),
    ...(privacyKey !== undefined && 'problem' in privacyKey
      ? [problemAt(['privacy', 'key'], privacyKey.problem, written)]
      : []),
    ...('problem' in secret ? [keyProblem(secret.problem, written)] : []),
  ];
  if (!parsed.success || 'problem' in secret || 'problem' in token || alerts === undefined || problems.length > 0)
    throw invalid(path, problems);
  if (needsKey && secret.key === undefined) throw noKey(keyUnset);
  const pseudonymKey = privacyKey !== undefined && 'secret' in privacyKey ? privacyKey.secret : undefined;
  const found = {
    path,
    privacyKey: pseudonymKey,
    api: fromEnv.api,
    key: secret.key,
    token: token.token,
    alerts: alerts.alerts,
  };
  return freeze(complete(parsed.data, { ...found, inlineSecrets: inlineSecrets(written.value) }));
}

/** The key may also come from elsewhere, so that its variable may be unset. */
function isKey({ path }: Unset): boolean {
  return pathText(path) === 'api.key';
}

function unsetProblem({ path, name }: Unset, written: Written): Problem {
  return problemAt(path, `the environment variable ${name} is not set`, written);
}

function settingProblems(issues: readonly z.core.$ZodIssue[], missing: readonly Unset[], written: Written): Problem[] {
  const unset = new Set(missing.map(({ path }) => pathText(path)));
  // The empty value of an unset variable is not a second mistake.
  return issues.filter(({ path }) => !unset.has(pathText(path))).flatMap((issue) => explain(issue, written));
}

function keyProblem({ name, text }: KeyProblem, written: Written): Problem {
  return name === undefined ? { line: undefined, text } : problemAt(['api', name], text, written);
}

function explain(issue: z.core.$ZodIssue, written: Written): Problem[] {
  const { path } = issue;
  // What zod says of unknown keys lacks those that are allowed: `group` says it of each.
  if (issue.code === 'unrecognized_keys') return [];
  const allowed = allowedInstead(issue);
  if (allowed !== undefined) {
    const at = pathText(path.slice(0, -1));
    const key = String(path.at(-1));
    const text = `${at === '' ? '' : `${at}: `}unknown key "${key}"${meantOrAllowed(key, allowed)}`;
    return [{ line: written.lineOfKey(path), text }];
  }
  if (issue.code === 'invalid_union') {
    // If only part of a form is wrong, it is the form that was meant.
    const meant = issue.errors.find((issues) => issues.some((part) => part.path.length > 0)) ?? [];
    if (meant.length > 0) return meant.flatMap((part) => explain({ ...part, path: [...path, ...part.path] }, written));
  }
  return [problemAt(path, issue.message, written)];
}

function meantOrAllowed(key: string, allowed: readonly string[]): string {
  const meant = nearest(key, allowed);
  if (meant !== undefined) return `, did you mean "${meant}"?`;
  return allowed.length === 0 ? '; nothing can be set here' : `; allowed here: ${allowed.join(', ')}`;
}

function problemAt(path: readonly PropertyKey[], text: string, written: Written): Problem {
  return { line: written.lineOf(path), text: `${path.length === 0 ? 'the file' : pathText(path)}: ${text}` };
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

/** What the environment says about the API, which takes precedence over the file. */
function apiFromEnv(
  { shape: { api } }: ReturnType<typeof configSchema>,
  env: Environment,
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
function alertsIn(
  { shape: { alerts } }: ReturnType<typeof configSchema>,
  value: unknown,
  source: SecretSource | undefined,
) {
  const written = z.object({ alerts }).safeParse(value ?? {});
  return written.success ? resolveAlerts(written.data.alerts, source) : undefined;
}

/** The key of the pseudonyms, whatever else is wrong in the file; undefined where none are made. */
function privacyKeyIn({ shape: { privacy: schema } }: ReturnType<typeof configSchema>, value: unknown, folder: string) {
  const privacy = z.object({ privacy: schema }).safeParse(value ?? {}).data?.privacy;
  if (privacy?.key === undefined || privacy.pseudonymise.length === 0) return undefined;
  return readPrivacyKey(folder, privacy.key);
}

/** The token of the dashboard, whatever else is wrong in the file. */
function tokenIn(
  { shape: { http: schema } }: ReturnType<typeof configSchema>,
  value: unknown,
  source: SecretSource | undefined,
): { token: string | undefined } | { problem: string } {
  const http = z.object({ http: schema }).safeParse(value ?? {}).data?.http;
  if (http === undefined || http === false) return { token: undefined };
  const { token, tokenFile } = http;
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
