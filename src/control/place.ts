import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, statSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WarehouseError } from '../shared/errors.ts';
import { giveTo } from '../shared/private-files.ts';

/** The longest path that a socket may have on every system, in bytes. */
const LONGEST_PATH = 100;

/**
 * Where the daemon of a warehouse listens: in a folder of its own beside the file, which every command finds, or, where
 * that path is too long for a socket, in the runtime folder of the warehouse's owner. Undefined where there is none.
 */
export function socketPath(warehouse: string, runtimeFolders = runtimeFoldersOf(warehouse)): string | undefined {
  const name = `${createHash('sha256').update(warehouse).digest('hex').slice(0, 16)}.sock`;
  return [join(`${warehouse}.run`, 'socket'), ...runtimeFolders.map((folder) => join(folder, 'hsw', name))].find(
    (path) => Buffer.byteLength(path) <= LONGEST_PATH,
  );
}

/** Folders that only the owner of the warehouse can enter; on macOS that for temporary files is one. */
function runtimeFoldersOf(warehouse: string): string[] {
  const owner = statSync(warehouse, { throwIfNoEntry: false })?.uid ?? process.geteuid?.();
  return [`/run/user/${owner}`, tmpdir()].filter((folder) => {
    const stat = statSync(folder, { throwIfNoEntry: false });
    return stat?.isDirectory() === true && stat.uid === owner && (stat.mode & 0o077) === 0;
  });
}

/**
 * Makes the folder of the socket, which no other user can enter, and removes a socket that was left behind.
 * @throws WarehouseError PLACE_UNSAFE where something else is in the way.
 */
export function prepareSocket(path: string): void {
  const folder = dirname(path);
  if (lookAt(folder) === undefined) {
    mkdirSync(folder, { mode: 0o700 });
    giveTo(statSync(dirname(folder)), folder);
  }
  const place = lstatSync(folder);
  if (!place.isDirectory()) throw inTheWay(folder, place, "the folder of the daemon's socket");
  if (!isOurs(place, folder)) throw anothers(folder);
  if ((place.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  const left = lookAt(path);
  if (left !== undefined && !left.isSocket()) throw inTheWay(path, left, "the daemon's socket");
  rmSync(path, { force: true });
}

/**
 * Whether there is a socket to connect to, of whom it must be.
 * @throws WarehouseError PLACE_UNSAFE where it is something else, or another user's; the system's error where the user
 * may not even look.
 */
export function hasSocket(path: string): boolean {
  const stat = lookAt(path);
  if (stat === undefined) return false;
  if (!stat.isSocket()) throw inTheWay(path, stat, "the daemon's socket");
  for (const file of [path, dirname(path)]) if (!isOurs(lstatSync(file), dirname(path))) throw anothers(file);
  return true;
}

/** Whether it belongs to this user or root or, for root, to whom the folder around belongs: mostly the service. */
function isOurs({ uid }: Stats, folder: string): boolean {
  const me = process.geteuid?.() ?? uid;
  return uid === me || uid === 0 || (me === 0 && uid === statSync(dirname(folder)).uid);
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function inTheWay(path: string, stat: Stats, place: string): WarehouseError {
  const what = stat.isDirectory() ? 'a folder' : stat.isSymbolicLink() ? 'a symbolic link' : 'a file';
  return new WarehouseError('PLACE_UNSAFE', `${path} is ${what} in the place of ${place}.`, {
    hint: 'Move it away, and start the daemon again.',
  });
}

function anothers(path: string): WarehouseError {
  return new WarehouseError('PLACE_UNSAFE', `${path} belongs to another user, so nothing was sent to it.`, {
    hint: 'Remove it if no daemon of another user is meant to keep this warehouse.',
  });
}
