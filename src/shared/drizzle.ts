import { createRequire } from 'node:module';
import type * as Orm from 'drizzle-orm';
import type * as Connection from 'drizzle-orm/better-sqlite3';
import type * as Migrator from 'drizzle-orm/better-sqlite3/migrator';
import type * as Core from 'drizzle-orm/sqlite-core';

/**
 * The CommonJS build of drizzle-orm. Node 24 parses its package.json of 180 KB again for each of its hundred ES
 * modules, which costs each process of the tests more than anything else. `scripts/bundle.ts` takes the ES modules.
 */
const load = createRequire(import.meta.url);

export const { getTableColumns } = load('drizzle-orm') as typeof Orm;
export const core = load('drizzle-orm/sqlite-core') as typeof Core;
export const { index, integer, real, sqliteTable, text, uniqueIndex } = core;
export const { drizzle } = load('drizzle-orm/better-sqlite3') as typeof Connection;
export const { migrate } = load('drizzle-orm/better-sqlite3/migrator') as typeof Migrator;
