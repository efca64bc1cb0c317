import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** `hst_live_…` and `hst_test_…` (HyperStudy's page on API keys). */
const KEY_FORM = /^hst_(live|test)_[A-Za-z0-9_-]{8,256}$/;

/** A key, or what is wrong with it: in words that never hold the key. */
export type KeyFound = { readonly key: string } | { readonly problem: string };

/** Checks the form of a key, without the blanks around it. */
export function checkKey(text: string): KeyFound {
  const key = text.trim();
  return KEY_FORM.test(key)
    ? { key }
    : { problem: 'does not look like a HyperStudy key (hst_live_… or hst_test_…); the key itself is not shown here' };
}

/** Reads a file that holds nothing but a key, and that not everybody can read. */
export function readKeyFile(file: string): KeyFound {
  const found = readSecretFile(file, file);
  return 'secret' in found ? checkKey(found.secret) : found;
}

/**
 * Reads a file that holds nothing but a secret, without the blanks around it, and that not everybody can read.
 * @param name what a problem calls the file.
 */
export function readSecretFile(file: string, name: string): { readonly secret: string } | { readonly problem: string } {
  try {
    const { mode } = statSync(file);
    const text = readFileSync(file, 'utf8');
    return (mode & 0o007) === 0
      ? { secret: text.trim() }
      : { problem: `everybody can read ${name}: run chmod 600 on it` };
  } catch {
    return { problem: `${name} cannot be read: check its name and who may read it` };
  }
}

/** The name that our systemd units give the key: `LoadCredential=hyperstudy-key:…`. */
const CREDENTIAL = 'hyperstudy-key';

/**
 * The key that systemd hands to this service (systemd.exec(5), LoadCredential=), or undefined where it hands none. Its
 * file keeps the mode that systemd gave it, as only the service can enter the folder.
 */
export function readCredential(env: Readonly<Record<string, string | undefined>>): KeyFound | undefined {
  const folder = env['CREDENTIALS_DIRECTORY'] ?? '';
  const file = join(folder, CREDENTIAL);
  if (folder === '' || !existsSync(file)) return undefined;
  try {
    const found = checkKey(readFileSync(file, 'utf8'));
    return 'key' in found ? found : { problem: `the credential ${CREDENTIAL} ${found.problem}` };
  } catch {
    return { problem: `the credential ${file} cannot be read` };
  }
}
