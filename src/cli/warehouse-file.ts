import { statSync } from 'node:fs';
import { z } from 'zod';
import { WarehouseError } from '../shared/errors.ts';
import { queryValues } from '../shared/sqlite.ts';
import { requireMigrated } from '../warehouse/migrate.ts';
import { openForReading, withPlainErrors, type Db } from '../warehouse/open.ts';

/**
 * A warehouse that was named on the command line, such as a copy: it is opened for reading only.
 * @throws WarehouseError USAGE for what is none, and WAREHOUSE_OLDER for one of an earlier version.
 */
export function openFile(path: string): Db {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new WarehouseError('USAGE', `There is no file ${path}.`, { hint: 'Check its name.' });
  const db = openForReading(path);
  try {
    if (!isWarehouse(db, path))
      throw new WarehouseError('USAGE', `The file ${path} is not a warehouse.`, {
        hint: 'Name the SQLite file that `hsw sync now` writes, or a copy of it made with VACUUM INTO.',
      });
    requireMigrated(db);
    return db;
  } catch (error) {
    db.close();
    throw older(path, error) ?? error;
  }
}

function isWarehouse(db: Db, path: string): boolean {
  const sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('_streams', '_data_dictionary')";
  try {
    return withPlainErrors(path, () => queryValues(db, sql, z.number()).get() === 2);
  } catch (error) {
    // A file of another kind is no damaged warehouse.
    if (error instanceof WarehouseError && error.code === 'WAREHOUSE_CORRUPT') return false;
    throw error;
  }
}

/** A copy cannot be brought up to date by reading it. */
function older(path: string, error: unknown): WarehouseError | undefined {
  if (!(error instanceof WarehouseError) || error.code !== 'WAREHOUSE_OLDER') return undefined;
  return new WarehouseError('WAREHOUSE_OLDER', error.message, {
    hint: `Nothing was changed. Run \`hsw sync now\` where ${path} comes from, and copy it again; or set warehouse.path to it and sync.`,
    cause: error,
  });
}
