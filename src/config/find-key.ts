import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { WarehouseError } from '../shared/errors.ts';
import { REFERENCE } from './environment.ts';
import { checkKey, readKeyFile, type KeyFound } from './key.ts';

const text = z.string().optional().catch(undefined);

/** What a document says about the key, whatever else is wrong in it. */
const SECRETS = z.object({ api: z.object({ key: text, keyFile: text }).catch({}) }).catch({ api: {} });

/** What is wrong with the key, and the setting that names it, where one does. */
export interface KeyProblem {
  readonly name: 'key' | 'keyFile' | undefined;
  readonly text: string;
}

/** Finds the key: in the environment, in the file, in a file that it names, or among systemd's credentials. */
export function findKey(from: {
  path: string;
  written: unknown;
  value: unknown;
  /** The unset variable that the file names as its key. */
  keyUnset: string | undefined;
  keyFromEnv: string | undefined;
  /** The key from systemd; looked for only when nothing else names one. */
  credential: () => KeyFound | undefined;
}): { key: string | undefined } | { problem: KeyProblem } {
  const inFile = SECRETS.parse(from.written).api.key?.replace(REFERENCE, '').trim() ?? '';
  if (inFile !== '' && (statSync(from.path).mode & 0o077) !== 0) {
    const what =
      'a key is accepted in this file only if no one else can read the file: run chmod 600 on it, or write ${HYPERSTUDY_API_KEY} here and set that variable';
    return { problem: { name: 'key', text: what } };
  }
  const { key: resolved, keyFile } = SECRETS.parse(from.value).api;
  const fromFile = from.keyUnset === undefined && resolved?.trim() !== '' ? resolved : undefined;
  if (from.keyFromEnv === undefined && fromFile !== undefined && keyFile !== undefined)
    return { problem: { name: 'keyFile', text: 'give either key or keyFile, not both' } };
  const given = from.keyFromEnv ?? fromFile;
  if (given === undefined && keyFile === undefined) {
    const handed = from.credential() ?? { key: undefined };
    return 'key' in handed ? handed : { problem: { name: undefined, text: handed.problem } };
  }
  const found = given === undefined ? readKeyFile(resolve(dirname(from.path), keyFile ?? '')) : checkKey(given);
  if ('key' in found) return found;
  if (from.keyFromEnv !== undefined)
    return { problem: { name: undefined, text: `the environment variable HYPERSTUDY_API_KEY ${found.problem}` } };
  return { problem: { name: given === undefined ? 'keyFile' : 'key', text: found.problem } };
}

export function noKey(unset: string | undefined): WarehouseError {
  const why = unset === undefined ? '' : `: the environment variable ${unset} is not set`;
  return new WarehouseError('KEY_MISSING', `There is no API key${why}.`, {
    hint: `Set the environment variable ${unset ?? 'HYPERSTUDY_API_KEY'}, or name a file that holds the key as api.keyFile in the config.`,
  });
}
