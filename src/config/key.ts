import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** `hst_live_…` and `hst_test_…` (HyperStudy's page on API keys). */
const KEY_FORM = /^hst_(live|test)_[A-Za-z0-9_-]{8,256}$/;

/** A key, or what is wrong with it, in words that never contain the key. */
export type KeyFound = { readonly key: string } | Problem;

/** What is wrong with a secret and, where that is known better than by the caller, what to do. */
interface Problem {
  readonly problem: string;
  readonly hint?: string;
}

/** Checks the form of a key, without the whitespace around it. */
export function checkKey(text: string): KeyFound {
  const key = text.trim();
  return KEY_FORM.test(key)
    ? { key }
    : { problem: 'does not look like a HyperStudy key (hst_live_… or hst_test_…); the key itself is not shown here' };
}

/** Reads a file that holds only a key, and that not everyone can read. */
export function readKeyFile(file: string): KeyFound {
  const found = readSecretFile(file, file);
  return 'secret' in found ? checkKey(found.secret) : found;
}

/**
 * Reads a file that holds only a secret, and that not everyone can read; whitespace around the secret is removed.
 * @param name what a problem calls the file.
 */
export function readSecretFile(file: string, name: string): SecretFound {
  try {
    const stat = statSync(file);
    // Reading a named pipe would wait for ever; the shell's own, for what a command prints, has a writer.
    if (!stat.isFile() && !SHELL_PIPE.test(file))
      return { problem: `${name} is not a file`, hint: 'Name the file that holds the key.' };
    const text = readFileSync(file, 'utf8');
    return (stat.mode & 0o007) === 0
      ? { secret: text.trim() }
      : { problem: `everyone can read ${name}: run chmod 600 on it`, hint: OPEN_FILE };
  } catch {
    return {
      problem: `${name} cannot be read: check its name and who may read it`,
      hint: 'Name the file that holds the key, or let this user read it.',
    };
  }
}

/** What a shell puts in the place of `<(command)`. */
const SHELL_PIPE = /^\/(?:dev|proc\/self)\/fd\/\d+$/;

const OPEN_FILE =
  'Then no one else can read it. Make a new secret if others use this computer, as they may have read this one.';

/** The names under which systemd can pass secrets: `LoadCredential=hyperstudy-key:…` (systemd.exec(5)). */
export const CREDENTIALS = {
  key: 'hyperstudy-key',
  webhook: 'hyperstudy-webhook',
  smtpPassword: 'hyperstudy-smtp-password',
  httpToken: 'hyperstudy-http-token',
} as const;

/** A secret, or what is wrong with it, in words that never contain it. */
export type SecretFound = { readonly secret: string } | Problem;

/**
 * Finds a secret in the file that the configuration names or, where it names none, in systemd's credential of that
 * name; undefined where there is neither. A problem never names the file, as a secret may have been written in its
 * place.
 */
export type SecretSource = (file: string | undefined, credential: string) => SecretFound | undefined;

/**
 * A secret that systemd passes to this service, or undefined where it passes none of that name. Its file keeps the mode
 * that systemd gave it, as only the service can enter the folder.
 */
export function readCredential(env: Environment, name: string): SecretFound | undefined {
  const folder = env['CREDENTIALS_DIRECTORY'] ?? '';
  const file = join(folder, name);
  if (folder === '' || !existsSync(file)) return undefined;
  try {
    return { secret: readFileSync(file, 'utf8').trim() };
  } catch {
    return { problem: `the credential ${file} cannot be read` };
  }
}

/** The key that systemd passes, or undefined where it passes none. */
export function readKeyCredential(env: Environment): KeyFound | undefined {
  const handed = readCredential(env, CREDENTIALS.key);
  if (handed === undefined || 'problem' in handed) return handed;
  const found = checkKey(handed.secret);
  return 'key' in found ? found : { problem: `the credential ${CREDENTIALS.key} ${found.problem}` };
}
