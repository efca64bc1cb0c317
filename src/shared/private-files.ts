import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { WarehouseError } from './errors.ts';

/**
 * The mode of a data file: for its owner alone, or also for reading by the folder's group where the folder says so. It
 * does if it hands its group on (setgid), or if it is open to its group and closed to everyone else.
 */
export function modeIn({ mode }: Pick<Stats, 'mode'>): number {
  const isGroups = (mode & 0o050) === 0o050 && ((mode & 0o2000) !== 0 || (mode & 0o007) === 0);
  return isGroups ? 0o640 : 0o600;
}

/**
 * Creates an empty file under any umask, and never through a link; returns false, and changes nothing, where something
 * has that name already. Call it before SQLite opens the file: closing a descriptor would drop SQLite's locks.
 * @param like the folder of the file, or a file whose owner and mode it takes.
 */
export function createPrivate(path: string, like: Stats = statSync(dirname(path))): boolean {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  let file: number;
  try {
    file = openSync(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    const mode = like.isDirectory() ? modeIn(like) : like.mode & 0o777;
    const made = fstatSync(file);
    fchmodSync(file, ownedLike(like, made, (owner, group) => fchownSync(file, owner, group)) ? mode : mode & 0o700);
  } finally {
    closeSync(file);
  }
  return true;
}

/**
 * Makes sure that a file can be written that may hold data: one that is there keeps its mode.
 * @throws WarehouseError PLACE_UNSAFE
 */
export function claimFile(path: string): void {
  refuseUnsafe(path);
  createPrivate(path);
}

/** Makes a folder and those above it: for their owner alone, or for the group that the folder above is open to. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  const above = statSync(dirname(path));
  mkdirSync(path, { mode: 0o700 });
  giveTo(above, path);
  if (modeIn(above) === 0o640) chmodSync(path, 0o750 | (statSync(path).mode & 0o2000));
}

/**
 * Gives a file that this process has just created to a user, if this process is root: a sync that root runs by hand
 * must leave nothing that the warehouse's owner, mostly the service, cannot write. By name, as closing a descriptor
 * would drop SQLite's locks; and never the target of a link, as the folder may be that user's.
 */
export function giveTo({ uid, gid }: Pick<Stats, 'uid' | 'gid'>, file: string): void {
  if (process.geteuid?.() === 0 && uid !== 0) lchownSync(file, uid, gid);
}

/** Gives a file of this process the group, and for root the owner, of another; false where the system refuses. */
export function shareLike(like: Stats, path: string): boolean {
  return ownedLike(like, lstatSync(path), (owner, group) => lchownSync(path, owner, group));
}

function ownedLike(like: Stats, { uid, gid }: Stats, give: (owner: number, group: number) => void): boolean {
  // A service may be forbidden to change owners at all, so that nothing is asked for that holds already.
  if (gid === like.gid && (uid === like.uid || process.geteuid?.() !== 0)) return true;
  try {
    give(process.geteuid?.() === 0 && like.uid !== 0 ? like.uid : uid, like.gid);
    return true;
  } catch {
    // Only members of a group can give a file to it.
    return false;
  }
}

/** Whether everyone can replace the files of a folder: they can enter and write it, and it is none like /tmp. */
export function isOpenToAll(folder: string): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o1002) === 0o002 && isReachable(realpathSync(folder));
}

/** Whether everyone can get into a folder. */
export function isReachable(folder: string): boolean {
  const canEnter = ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o001) !== 0;
  return canEnter && (dirname(folder) === folder || isReachable(dirname(folder)));
}

/**
 * Refuses to write where another user decides what is written to: a folder that everyone can write, a link that is not
 * ours or that takes the place of a companion, what is no file, and in a folder like /tmp another user's file.
 * @param companions the endings of files beside it that are written too.
 * @throws WarehouseError PLACE_UNSAFE
 */
export function refuseUnsafe(path: string, companions: readonly string[] = []): void {
  const folder = dirname(path);
  const place = statSync(folder, { throwIfNoEntry: false });
  if (place === undefined) return;
  if (isOpenToAll(folder)) {
    throw unsafe(
      `Everyone on this computer can replace the files in ${folder}, so nothing was written there.`,
      `Run \`chmod o-w ${folder}\`, or choose another folder.`,
    );
  }
  for (const suffix of ['', ...companions]) refuseForeign(path + suffix, suffix === '', (place.mode & 0o002) !== 0);
}

/**
 * Refuses a folder below `root`, on the way to a file, that another user chose: one that everyone can write, another
 * user's link, and in a folder like /tmp another user's folder. What is not there yet is made by `makeFolder`.
 * @throws WarehouseError PLACE_UNSAFE
 */
export function refuseUnsafeFolders(root: string, path: string): void {
  const owner = statSync(root, { throwIfNoEntry: false })?.uid;
  const parts = relative(root, dirname(path)).split(sep);
  const below = parts[0] === '..' ? [] : parts.map((_, n) => join(root, ...parts.slice(0, n + 1)));
  for (const folder of [root, ...below]) {
    refuseUnsafe(join(folder, 'any'));
    const stat = folder === root ? undefined : lstatSync(folder, { throwIfNoEntry: false });
    if (stat === undefined || [0, owner, process.geteuid?.()].includes(stat.uid)) continue;
    const isPublic = ((statSync(dirname(folder), { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0;
    if (!stat.isSymbolicLink() && !isPublic) continue;
    throw unsafe(
      `${folder} ${stat.isSymbolicLink() ? 'is a symbolic link of' : 'belongs to'} another user, so nothing was written there.`,
      'Remove it, or choose another folder.',
    );
  }
}

function refuseForeign(path: string, mayBeLink: boolean, isPublic: boolean): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const isOurs = stat.uid === 0 || stat.uid === process.geteuid?.();
  if (stat.isSymbolicLink() && !(mayBeLink && isOurs && existsSync(path))) {
    throw unsafe(
      `${path} is a symbolic link${isOurs ? '' : ' of another user'}, so nothing was written through it.`,
      'Remove the link, or name the file itself.',
    );
  }
  const target = stat.isSymbolicLink() ? statSync(path) : stat;
  if (!target.isFile() && !(mayBeLink && target.isCharacterDevice())) {
    throw unsafe(
      `${path} is ${target.isDirectory() ? 'a folder' : 'not an ordinary file'}, so nothing was written.`,
      'Move it away, or choose another name.',
    );
  }
  if (isPublic && !isOurs && !target.isCharacterDevice()) {
    throw unsafe(
      `${path} belongs to another user, in a folder that everyone can write, so nothing was written to it.`,
      `Choose another folder, or another name than ${basename(path)}.`,
    );
  }
}

function unsafe(message: string, hint: string): WarehouseError {
  return new WarehouseError('PLACE_UNSAFE', message, { hint });
}
