import { z } from 'zod';
import { queryRows, queryValues } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';

/** Columns that are named after a participant, a room or an address, as the members of some objects are. */
export function namedAfterPeople(db: Db, table: string): string[] {
  const sql = `SELECT "column" FROM _column_names WHERE relation = ? AND "column" IS NOT NULL AND (instr(path, '@') > 0
    OR substr(path, instr(path, '.') + 1) IN (SELECT participant_id FROM people UNION SELECT room_id FROM people))`;
  return queryValues(db, sql, z.string()).all(table);
}

/**
 * What to say of the answers in a table with one row a person: its own words quote the question as the first person was
 * asked, and that may be made for one person.
 */
export function answerMeanings(db: Db, table: string): ReadonlyMap<string, string> {
  const sql = `SELECT column_name AS name, path FROM _wide_columns WHERE form <> 'table' AND path NOT LIKE 'variable %' AND column_name IS NOT NULL
    AND experiment_id = (SELECT experiment_id FROM _wide_columns WHERE form = 'table' AND column_name = ?)`;
  const found = queryRows(db, sql, z.object({ name: z.string(), path: z.string() })).all(table);
  return new Map(found.map(({ name, path }) => [name, `The last answer (${path}).`]));
}
