import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createPrivate } from '../shared/private-files.ts';

/** Where the token of a dashboard lies if the configuration names none: beside the warehouse. */
export function tokenPath(warehouse: string): string {
  return `${warehouse}.http-token`;
}

/**
 * The token of the dashboard if the configuration names none; the same as before, unless others could have read that or
 * put it there.
 */
export function serviceToken(warehouse: string): string {
  const path = tokenPath(warehouse);
  const kept = readOwn(path);
  if (kept !== undefined) return kept;
  const token = randomBytes(32).toString('base64url');
  const part = `${path}.part`;
  rmSync(part, { force: true });
  createPrivate(part);
  // Also where the group of the folder may read the data.
  chmodSync(part, 0o600);
  writeFileSync(part, `${token}\n`);
  renameSync(part, path);
  return token;
}

const FORM = /^[\w-]{43}$/;

function readOwn(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { uid, mode } = fstatSync(file);
    const me = process.geteuid?.() ?? uid;
    // Root runs it by hand for a service now and then, whose file it is.
    if ((uid !== me && me !== 0) || (mode & 0o077) !== 0) return undefined;
    const token = readFileSync(file, 'utf8').trim();
    return FORM.test(token) ? token : undefined;
  } finally {
    closeSync(file);
  }
}
