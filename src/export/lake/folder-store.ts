import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  opendirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { WarehouseError } from '../../shared/errors.ts';
import { createPrivate, makeFolder, refuseUnsafe } from '../../shared/private-files.ts';
import { syncFile, syncFolder } from '../snapshot/files.ts';
import { claim } from './claim.ts';
import type { Store } from './store.ts';

/** A lake in a folder of this computer, or of one that it mounts. */
export function folderStore(folder: string): Store {
  const root = resolve(folder);
  const at = (name: string) => join(root, ...name.split('/'));
  return {
    place: root,
    get workshop() {
      makeRoot(root);
      return root;
    },
    read: (name) => Promise.resolve(readStored(at(name))),
    put: (name, file) => Promise.resolve(putFile(at(name), file)),
    putAt: (name) => Promise.resolve(lstatSync(at(name), { throwIfNoEntry: false })?.mtimeMs),
    replace: (name, text, version) => Promise.resolve(replaceText(root, at(name), text, version)),
    list: (name) => listed(root, at(name)),
    remove(names) {
      for (const name of names) removeFile(root, at(name));
      return Promise.resolve();
    },
  };
}

function makeRoot(root: string): void {
  const stat = lstatSync(root, { throwIfNoEntry: false });
  if (stat !== undefined && !existsSync(join(root, '.')))
    throw new WarehouseError('USAGE', `${root} already exists and is not a folder.`, {
      hint: 'Move it away, or name another folder with --to. Nothing was changed.',
    });
  makeFolder(root);
  refuseUnsafe(join(root, 'lake'));
}

function readStored(path: string) {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  return { text, version: versionOf(text) };
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A link is made only where nothing has the name, and all at once. */
function putFile(path: string, file: string): boolean {
  makeFolder(dirname(path));
  syncFile(file);
  try {
    linkSync(file, path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'EEXIST') return false;
    // Some filesystems have no links. Names are those of contents, so that a rename replaces the same by the same.
    if (error.code !== 'EPERM' && error.code !== 'ENOTSUP' && error.code !== 'EOPNOTSUPP') throw error;
    if (existsSync(path)) return false;
    renameSync(file, path);
  }
  syncFolder(dirname(path));
  return true;
}

/** Between the comparison and the rename no one else may rename, which the lock sees to; a kill lets go of it. */
function replaceText(root: string, path: string, text: string, version: string | undefined): boolean {
  makeFolder(dirname(path));
  const lock = claim(join(root, '.lock'));
  if (lock === undefined) return false;
  const draft = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    if (readStored(path)?.version !== version) return false;
    createPrivate(draft);
    writeFileSync(draft, text);
    syncFile(draft);
    renameSync(draft, path);
    syncFolder(dirname(path));
    return true;
  } finally {
    rmSync(draft, { force: true });
    lock.release();
  }
}

async function* listed(root: string, folder: string): AsyncGenerator<{ name: string; at: number }> {
  if (!existsSync(folder)) return;
  for await (const entry of opendirSync(folder, { recursive: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat !== undefined) yield { name: relative(root, path).split(sep).join('/'), at: stat.mtimeMs };
  }
}

/** Folders that are empty then go as well. */
function removeFile(root: string, path: string): void {
  rmSync(path, { force: true });
  for (let folder = dirname(path); folder !== root && folder.startsWith(root); folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}
