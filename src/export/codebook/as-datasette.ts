import { basename, extname } from 'node:path';
import { z } from 'zod';
import { NEVER } from '../../derive/columns.ts';
import { queryRows, queryValues } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import { meaningsOf } from './columns.ts';

const Listed = z.object({ name: z.string(), about: z.string(), rowIs: z.string() });

/**
 * The metadata with which Datasette describes the tables and columns of a warehouse and hides what is internal. Units are
 * part of the descriptions: Datasette's own setting changes how numbers are shown, and newer versions have none.
 */
export function asDatasette(db: Db): string {
  const sql = 'SELECT name, about, row_is AS rowIs FROM _tables ORDER BY rowid';
  const listed = queryRows(db, sql, Listed).all();
  const described = listed.map(({ name, about, rowIs }): [string, object] => [
    name,
    {
      description: `${about} A row is ${rowIs}.`,
      columns: Object.fromEntries(
        meaningsOf(db, name).map(({ name: column, unit, meaning, missing }) => [
          column,
          `${meaning}${unit === null ? '' : ` Unit: ${unit}.`} ${missing === NEVER ? 'Never missing.' : `Missing: ${missing}`}`,
        ]),
      ),
    },
  ]);
  const names = new Set(listed.map(({ name }) => name));
  const all = queryValues(
    db,
    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
    z.string(),
  ).all();
  const hidden = all.filter((name) => !names.has(name)).map((name): [string, object] => [name, { hidden: true }]);
  const about = queryValues(db, "SELECT value FROM _about WHERE name = 'product'", z.string()).get();
  const database = basename(db.name, extname(db.name));
  const metadata = {
    title: about,
    source: 'HyperStudy',
    source_url: 'https://hyperstudy.io',
    databases: { [database]: { tables: Object.fromEntries([...described, ...hidden]) } },
  };
  return `${JSON.stringify(metadata, null, 2)}\n`;
}
