import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { WarehouseError } from '../shared/errors.ts';
import { createPrivate, makeFolder, refuseUnsafe } from '../shared/private-files.ts';
import { COMPANIONS, plainError, refuseSharedFilesystem } from './open.ts';

/**
 * Makes this process the warehouse's only writer until `release` is called or the process ends, however it ends:
 * the lock is an exclusive transaction on a file beside the warehouse, which the kernel releases.
 * @throws WarehouseError WAREHOUSE_BUSY when another process is the writer.
 */
export function acquireWriterLock(path: string): { release: () => void } {
  refuseSharedFilesystem(path);
  let db: Database.Database | undefined;
  try {
    makeFolder(dirname(path));
    refuseUnsafe(path, COMPANIONS);
    const file = `${path}.lock`;
    createPrivate(file);
    db = new Database(file, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    const plain = plainError(path, error);
    if (plain?.code !== 'WAREHOUSE_BUSY') throw plain ?? error;
    throw new WarehouseError('WAREHOUSE_BUSY', `Another hyperstudy-warehouse is writing to ${path} right now.`, {
      hint: 'Wait until it has finished, or stop it, and try again; `hsw status` can be used meanwhile.',
      cause: error,
    });
  }
  const held = db;
  return { release: () => held.close() };
}
