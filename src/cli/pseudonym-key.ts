import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createPrivate, makeFolder } from '../shared/private-files.ts';

/** Makes a file with a new key of pseudonyms, which only its owner can read; false where there is a file already. */
export function makePseudonymKey(file: string): boolean {
  makeFolder(dirname(file));
  if (!createPrivate(file)) return false;
  chmodSync(file, 0o600);
  writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`);
  return true;
}
