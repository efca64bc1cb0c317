import { z } from 'zod';
import { DATASETS } from '../datasets/registry.ts';
import { wideTable } from '../derive/wide-names.ts';
import { command, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import type { Erasures } from './erasures.ts';
import type { Db } from './open.ts';
import { mentions, wordsOf, type Person } from './person.ts';
import { refreshViews, viewName } from './views.ts';

/**
 * A member of a JSON value may be named by an id, and so may the column that readers have of it. What such a column holds
 * follows from the rows, so that it can go.
 */
export function dropColumnsNamedAfter(db: Db, person: Person, erasure: Erasures): void {
  const Named = z.object({ relation: z.string(), path: z.string(), column: z.string().nullable() });
  const isNamed = (path: string) => {
    const member = path.slice(path.indexOf('.') + 1);
    return erasure.scrubText(member) !== member;
  };
  const named = queryRows(db, `SELECT relation, path, "column" FROM _column_names WHERE ${mentions(['path'])}`, Named)
    .all(wordsOf(person))
    .filter(({ path }) => isNamed(path));
  const forget = command(db, 'DELETE FROM _column_names WHERE relation = ? AND path = ?');
  for (const dataset of DATASETS) {
    const own = named.filter(({ relation }) => relation === dataset.table);
    if (own.length === 0) continue;
    // No column goes as long as the view names it.
    db.exec(`DROP VIEW IF EXISTS ${quote(viewName(dataset))}`);
    for (const { path, column } of own) {
      if (column !== null && hasColumn(db, dataset.table, column))
        db.exec(`ALTER TABLE ${quote(dataset.table)} DROP COLUMN ${quote(column)}`);
      forget(dataset.table, path);
    }
    refreshViews(db, [dataset]);
  }
}

/** The same of columns of one row a person, which are named after a variable or a question. */
export function dropAnswersNamedAfter(db: Db, person: Person, erasure: Erasures): void {
  const Named = z.object({
    id: z.number(),
    experiment: z.string(),
    path: z.string(),
    column: z.string().nullable(),
    about: z.string(),
  });
  const sql = `SELECT rowid AS id, experiment_id AS experiment, path, column_name AS "column", about FROM _wide_columns
    WHERE form <> 'table' AND ${mentions(['path', 'about'])}`;
  const forget = command(db, 'DELETE FROM _wide_columns WHERE rowid = ?');
  const rewrite = command(db, 'UPDATE _wide_columns SET about = ? WHERE rowid = ?');
  for (const { id, experiment, path, column, about } of queryRows(db, sql, Named).all(wordsOf(person))) {
    const table = wideTable(db, experiment);
    if (erasure.scrubText(path) === path) rewrite(erasure.scrubText(about), id);
    else {
      if (table !== undefined && column !== null) db.exec(`ALTER TABLE ${quote(table)} DROP COLUMN ${quote(column)}`);
      forget(id);
    }
  }
}

function hasColumn(db: Db, table: string, column: string): boolean {
  const sql = 'SELECT 1 FROM pragma_table_info(?) WHERE name = ?';
  return queryValues(db, sql, z.number()).get(table, column) !== undefined;
}
