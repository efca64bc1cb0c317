import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createPrivate, makeFolder } from '../../shared/private-files.ts';

/** A lock of this process, which the kernel lets go of however the process ends. */
interface Lock {
  readonly release: () => void;
}

/** Takes a lock, after waiting a little; undefined where another process has it. */
export function claim(file: string, waitMs = 5000): Lock | undefined {
  createPrivate(file);
  const db = new Database(file, { timeout: waitMs });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return { release: () => void db.close() };
  } catch (error) {
    db.close();
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
}

const PREFIX = '.hsw-publish-';

/** A folder of this process for files that are being made. What processes left that were killed is removed. */
export function openWorkshop(parent: string): { readonly folder: string; readonly close: () => void } {
  for (const name of readdirSync(parent)) if (name.startsWith(PREFIX)) clearLeft(join(parent, name));
  const folder = join(parent, `${PREFIX}${randomBytes(6).toString('hex')}`);
  makeFolder(folder);
  const lock = claim(join(folder, 'lock'), 0);
  return {
    folder,
    close() {
      lock?.release();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Folders may be another user's, where many share the place. */
function clearLeft(folder: string): void {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true || stat.uid !== process.geteuid?.()) return;
  const file = join(folder, 'lock');
  // Another process may have made it just now.
  if (!existsSync(file) && Date.now() - stat.mtimeMs < 60_000) return;
  const lock = claim(file, 0);
  if (lock === undefined) return;
  lock.release();
  rmSync(folder, { recursive: true, force: true });
}
