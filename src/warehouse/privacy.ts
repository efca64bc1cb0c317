import { z } from 'zod';
import { DATASETS } from '../datasets/registry.ts';
import { declaredFields } from '../datasets/field-types.ts';
import { PRIVACY, type PrivacyClass } from '../datasets/privacy.ts';
import { queryValues } from '../shared/sqlite.ts';
import type { Db } from './open.ts';

const Class = z.enum(Object.keys(PRIVACY) as [PrivacyClass, ...PrivacyClass[]]);

/** A function that says what a column of a table or view reveals about a person; what the dictionary lacks is unknown. */
export function privacyIn(db: Db): (table: string, column: string) => PrivacyClass {
  const sql = 'SELECT privacy FROM _data_dictionary WHERE table_name = ? AND column_name = ?';
  const find = queryValues(db, sql, Class);
  return (table, column) => find.get(table, column) ?? 'unknown';
}

/** Fields that HyperStudy sends and no data type declares, as `events.favouriteColour`. */
export function undeclaredFields(db: Db): string[] {
  const types = queryValues(db, 'SELECT DISTINCT field FROM _field_types WHERE data = ?', z.string());
  const names = queryValues(
    db,
    "SELECT path FROM _column_names WHERE relation = ? AND path LIKE 'extra.%'",
    z.string(),
  );
  return DATASETS.flatMap((dataset) => {
    const declared = declaredFields(dataset);
    const named = names.all(dataset.table).map((path) => path.slice('extra.'.length));
    const seen = new Set([...types.all(dataset.name), ...named]);
    return [...seen]
      .filter((field) => !declared.has(field))
      .map((field) => `${dataset.name}.${field}`)
      .sort();
  });
}
