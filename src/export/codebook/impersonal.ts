import { z } from 'zod';
import { DATASETS } from '../../datasets/registry.ts';
import { queryRows, queryValues, quote } from '../../shared/sqlite.ts';
import { columnNames, isColumn } from '../../warehouse/column-names.ts';
import type { Db } from '../../warehouse/open.ts';

/** Whether a text names a person or a room. */
export type IsPersonal = (text: string) => boolean;

/** Knows the ids of people and rooms, addresses, and the names under which people and owners appear, also inside of a text. */
export function personalIn(db: Db): IsPersonal {
  const sql = 'SELECT participant_id FROM people UNION SELECT room_id FROM people';
  const ids = new Set(queryValues(db, sql, z.string().nullable()).all());
  const names = nameColumns(db).flatMap(({ table, column }) =>
    queryValues(db, `SELECT DISTINCT ${quote(column)} FROM ${quote(table)}`, z.string().nullable()).all(),
  );
  const known = [...new Set(names)].filter((name) => name !== null && name.length > 1 && /\p{L}/u.test(name));
  return (text) => text.includes('@') || ids.has(text) || known.some((name) => name !== null && hasWord(text, name));
}

/** The columns with names, of which the API may send more than it declares. */
function nameColumns(db: Db): { table: string; column: string }[] {
  const declared = DATASETS.flatMap(({ table, columns }) =>
    columns
      .filter(({ field, spec }) => spec.kind === 'text' && spec.privacy === 'direct' && /(name|email)$/i.test(field))
      .map(({ name }) => ({ table, column: name })),
  );
  const others = columnNames(db, 'participants').filter(
    (name) => isColumn(name) && name.type === 'text' && /^extra\.\w*name$/i.test(name.path),
  );
  return [...declared, ...others.map(({ column }) => ({ table: 'participants', column: column ?? '' }))];
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const around = `${text.slice(0, at).slice(-1)} ${text.slice(at + word.length, at + word.length + 1)}`;
    if (!/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}

/** What stands in place of a name that names a person. */
export const NAMED_AFTER = '(named after a person)';

const Named = z.object({ column: z.string(), path: z.string() });

/** Columns that are named after a participant, a room or an address, as the members of some objects and some variables are. */
export function namedAfterPeople(db: Db, table: string, isPersonal: IsPersonal): string[] {
  const members = `SELECT "column", substr(path, instr(path, '.') + 1) AS path FROM _column_names
    WHERE relation = @table AND "column" IS NOT NULL`;
  const wide = `SELECT column_name AS "column", substr(path, instr(path, ' ') + 1) AS path FROM _wide_columns
    WHERE form <> 'table' AND column_name IS NOT NULL
    AND experiment_id = (SELECT experiment_id FROM _wide_columns WHERE form = 'table' AND column_name = @table)`;
  const found = queryRows(db, `${members} UNION ALL ${wide}`, Named).all({ table });
  return found.filter(({ path }) => isPersonal(path)).map(({ column }) => column);
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
