import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { queryValues } from '../shared/sqlite.ts';
import { components } from '../datasets/components.ts';
import { events } from '../datasets/events.ts';
import { COUNTS_SQL } from './counts.ts';
import type { DerivedTable } from './define.ts';
import { PENDING_SQL } from './pending.ts';
import { GRID } from './ratings-grid.ts';
import { roomWideIndex } from './source.ts';
import { WIDE_NAMES_SQL } from './wide-names.ts';

/**
 * Creates the derived tables that do not exist, and those again whose declaration has changed: what they hold can be
 * computed, so they need no migration. The one that is optional is dropped where it is not among them. Returns whether any is new, and so has to be filled.
 */
export function createTables(db: Database, tables: readonly DerivedTable[]): boolean {
  const wanted = [
    ...tables.map(tableSql),
    { name: '_people_counts', sql: COUNTS_SQL, indexes: [] },
    { name: '_derive_pending', sql: PENDING_SQL, indexes: [] },
  ];
  const find = queryValues(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", z.string());
  const created = wanted.filter(({ name, sql }) => find.get(name) !== sql);
  db.exec([WIDE_NAMES_SQL, ...INDEXES].join(';\n'));
  if (!wanted.some(({ name }) => name === GRID)) db.exec(`DROP TABLE IF EXISTS ${GRID}`);
  for (const { name, sql, indexes } of created) {
    db.exec([`DROP TABLE IF EXISTS ${name}`, sql, ...indexes].join(';\n'));
  }
  return created.length > 0;
}

/** What is looked for by its id or, of a room, what names no one. */
const INDEXES = [
  ...['participants', 'rooms', 'deployment_sessions'].map(
    (table) => `CREATE INDEX IF NOT EXISTS ${table}_by_id ON ${table} (id)`,
  ),
  ...[events, components].map((dataset) => roomWideIndex(dataset).sql),
];

function tableSql({ name, columns, version }: DerivedTable): { name: string; sql: string; indexes: string[] } {
  const declared = Object.entries(columns).map(([column, { type }]) => `${column} ${type}`);
  const whose = ['room_id', 'participant_id'].filter((column) => column in columns);
  return {
    name,
    sql: `CREATE TABLE ${name} (${declared.join(', ')}) STRICT /* ${version} */`,
    indexes: [
      ...whose.map((column) => `CREATE INDEX ${name}_by_${column.replace('_id', '')} ON ${name} (${column})`),
      `CREATE INDEX ${name}_by_experiment ON ${name} (experiment_id)`,
    ],
  };
}
