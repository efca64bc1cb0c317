import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { isOpenToAll, isReachable, modeIn } from '../shared/private-files.ts';

type Where = Pick<Config, 'path' | 'inlineSecrets' | 'warehouse'>;

/**
 * Says that others can read the secrets in the configuration, with the command that fixes it; undefined when they
 * cannot.
 * @param me the current user; a file of another user, read through its group, may stay open to that group.
 */
export function exposedSecrets(
  { path, inlineSecrets, warehouse }: Where,
  me = process.getuid?.() ?? 0,
): string | undefined {
  const { mode, uid } = statSync(path);
  const isOwn = me !== 0 && uid === me;
  if (inlineSecrets.length === 0 || (mode & (isOwn ? 0o044 : 0o004)) === 0) return undefined;
  const gid = serviceGroup(warehouse.path);
  const file = shellWord(path);
  const command = isOwn || gid === 0 ? `chmod 600 ${file}` : `chgrp ${gid} ${file} && chmod 640 ${file}`;
  return `${path} holds ${inlineSecrets.join(' and ')}, and others can read it. Run: ${command}`;
}

/** The warehouse belongs to the group of the user that runs the service. */
function serviceGroup(warehouse: string): number {
  return lookAt(dirname(warehouse))?.gid ?? 0;
}

/** Says that everyone can read or change the data, with the command that fixes it; undefined if they cannot. */
export function openFolder(warehouse: string): string | undefined {
  const folder = dirname(warehouse);
  if (!existsSync(folder) || !isReachable(realpathSync(folder))) return undefined;
  const fileMode = filesOf(warehouse).reduce((all, file) => all | (lookAt(file)?.mode ?? 0), 0);
  const files = `${shellWord(warehouse)}*`;
  if (isOpenToAll(folder))
    return `everyone on this computer can replace the data in ${folder}. Run: chmod o-w ${shellWord(folder)}`;
  if ((fileMode & 0o002) !== 0) return `everyone on this computer can change the data. Run: chmod o-rw ${files}`;
  if ((fileMode & 0o004) !== 0)
    return `everyone on this computer can read the data. Run: chmod o-r ${files} (a group can still have access)`;
  return undefined;
}

/** Says that files of the warehouse belong to a different user than its folder, with the command that fixes it. */
export function foreignFiles(warehouse: string): string | undefined {
  const folder = dirname(warehouse);
  if (strangeFiles(warehouse).length === 0) return undefined;
  return `some files in ${folder} do not belong to the folder's owner, who may not be able to write them. Run: chown --reference=${shellWord(folder)} ${shellWord(warehouse)}*`;
}

function strangeFiles(warehouse: string): string[] {
  const owner = lookAt(dirname(warehouse))?.uid ?? 0;
  return owner === 0 ? [] : filesOf(warehouse).filter((file) => (lookAt(file)?.uid ?? owner) !== owner);
}

/**
 * Closes what the three above find, as far as this user may; returns a sentence for each change. What is open to a
 * group only stays so, as someone has wanted that.
 */
export function closeOpen({ path, inlineSecrets, warehouse }: Where, me = process.getuid?.() ?? 0): string[] {
  const folder = dirname(warehouse.path);
  const place = lookAt(folder);
  const done: string[] = [];
  const attempt = (what: string, action: () => void) => {
    try {
      action();
      done.push(what);
    } catch {
      // The check that follows names it with its command.
    }
  };
  if (exposedSecrets({ path, inlineSecrets, warehouse }, me) !== undefined) {
    const gid = serviceGroup(warehouse.path);
    const isGroups = me === 0 && gid !== 0;
    attempt(`${path} can be read only by ${isGroups ? 'its owner and the group of the service' : 'its owner'}`, () => {
      if (isGroups) chownSync(path, statSync(path).uid, gid);
      chmodSync(path, isGroups ? 0o640 : 0o600);
    });
  }
  if (place === undefined) return done;
  if (isOpenToAll(folder))
    attempt(`only its owner and its group can write ${folder}`, () => chmodSync(folder, place.mode & 0o7775));
  for (const file of strangeFiles(warehouse.path))
    attempt(`${file} belongs to the owner of its folder`, () => lchownSync(file, place.uid, place.gid));
  for (const file of filesOf(warehouse.path).filter((name) => ((lookAt(name)?.mode ?? 0) & 0o007) !== 0))
    attempt(`${file} has the mode ${modeIn(place).toString(8)}`, () => setMode(file, modeIn(place)));
  return done;
}

/** Never the mode of what a link points to. */
function setMode(path: string, mode: number): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
}

/** The warehouse and what is kept beside it, such as its backups. */
function filesOf(warehouse: string): string[] {
  const folder = dirname(warehouse);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(warehouse)))
    .map((name) => join(folder, name))
    .filter((file) => lstatSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function lookAt(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** A path quoted as one word of a command line. */
function shellWord(path: string): string {
  return /^[\w/.+@%-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
