import type { Config } from '../config/schema.ts';
import { requireMigrated } from '../warehouse/migrate.ts';
import { openForReading, type Db } from '../warehouse/open.ts';

/** The warehouse for reading beside a writer; commands that only read load no HTTP client for it. */
export function openReader(config: Config): Db {
  const db = openForReading(config.warehouse.path);
  try {
    requireMigrated(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
