import { resolve } from 'node:path';
import { alertSecrets } from './alerts.ts';
import { REFERENCE, type Environment } from './environment.ts';
import { readCredential, readSecretFile, type SecretFound, type SecretSource } from './key.ts';
import type { Config } from './schema.ts';

/** @param folder where relative paths start. */
export function secretSource(folder: string, env: Environment): SecretSource {
  return (file, credential) => {
    if (file === undefined) return notEmpty(readCredential(env, credential), `the credential ${credential}`);
    return notEmpty(readSecretFile(resolve(folder, file), 'the file'), 'the file');
  };
}

function notEmpty(found: SecretFound | undefined, name: string): SecretFound | undefined {
  return found !== undefined && 'secret' in found && found.secret === '' ? { problem: `${name} is empty` } : found;
}

/** The settings that may hold a secret itself, besides the API key. */
const INLINE = [
  ['api', 'key'],
  ['http', 'token'],
  ['alerts', 'webhook', 'url'],
] as const;

/** The settings whose secrets are written in the file itself, rather than in an environment variable that it names. */
export function inlineSecrets(written: unknown): string[] {
  return INLINE.filter((path) => {
    const text = path.reduce<unknown>(member, written);
    return typeof text === 'string' && text.trim() !== '' && text.search(REFERENCE) === -1;
  }).map((path) => path.join('.'));
}

function member(at: unknown, name: string): unknown {
  return typeof at === 'object' && at !== null ? Object.entries(at).find(([key]) => key === name)?.[1] : undefined;
}

/** Every string that must never be seen in a log, a message or a page. */
export function secretsOf({ api, http, alerts, privacy }: Config): string[] {
  const given = [api.key, http?.token, privacy.key, ...alertSecrets(alerts)].filter((secret) => secret !== undefined);
  return given.flatMap((secret) => [secret, ...addressParts(secret)]);
}

/** Of a secret URL also the part after the host, as servers and errors repeat that part alone. */
function addressParts(secret: string): string[] {
  if (!URL.canParse(secret)) return [];
  const { href, pathname, search } = new URL(secret);
  return [href, `${pathname}${search}`, pathname];
}
