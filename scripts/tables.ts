import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { NOT_GIVEN } from '../src/datasets/define.ts';
import { systemClock } from '../src/shared/clock.ts';
import { queryRows } from '../src/shared/sqlite.ts';
import { openWarehouse } from '../src/warehouse/warehouse.ts';

const Table = z.object({ name: z.string(), kind: z.string(), about: z.string(), row: z.string() });
const Column = z.object({
  name: z.string(),
  type: z.string(),
  unit: z.string().nullable(),
  meaning: z.string(),
  missing: z.string(),
  allowed: z.string().nullable(),
  privacy: z.string(),
});

const KINDS = {
  derived: 'Tables that answer questions',
  view: 'Views',
  mirrored: 'Tables that mirror the API',
  own: 'About the file itself',
} as const;

/** Every table and view with its columns, as a new warehouse explains them. */
export function columnsText(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hsw-docs-'));
  const warehouse = openWarehouse(join(folder, 'w.db'), { clock: systemClock, history: true });
  try {
    const { db } = warehouse;
    const tables = queryRows(db, 'SELECT name, kind, about, row_is AS "row" FROM _tables ORDER BY rowid', Table).all();
    const columns = queryRows(
      db,
      `SELECT c.name, d.type, d.unit, d.meaning, d.missing, d.allowed_values AS allowed, d.privacy FROM pragma_table_info(@table) c
       JOIN _data_dictionary d ON d.table_name = @table AND d.column_name = c.name ORDER BY c.cid`,
      Column,
    );
    return Object.entries(KINDS)
      .flatMap(([kind, heading]) => [
        `## ${heading}`,
        ...tables
          .filter((table) => table.kind === kind && !table.name.endsWith('_all'))
          .flatMap((table) => section(table, columns.all({ table: table.name }))),
      ])
      .join('\n\n');
  } finally {
    warehouse.close();
    rmSync(folder, { recursive: true });
  }
}

const HEADINGS = ['column', 'type', 'unit', 'meaning', 'missing means', 'privacy'];

function section({ name, about, row }: z.infer<typeof Table>, columns: readonly z.infer<typeof Column>[]): string[] {
  const rows = columns.map(({ name: column, type, unit, meaning, missing, allowed, privacy }) => [
    `\`${column}\``,
    type,
    unit ?? '',
    allowed === null || unit === '0 or 1' ? meaning : `${meaning} One of: ${allowed}.`,
    missing === NOT_GIVEN ? '' : missing,
    privacy === 'none' ? '' : privacy,
  ]);
  const lines = [HEADINGS, HEADINGS.map(() => '---'), ...rows];
  return [`### ${name}`, `${about} A row is ${row}.`, lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')];
}
