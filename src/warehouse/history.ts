import { quote } from '../shared/sqlite.ts';
import type { Dataset } from '../datasets/define.ts';
import { code, integer, json, text, time, type Explained } from '../derive/columns.ts';
import { heldNames } from './held.ts';
import type { Db } from './open.ts';

/**
 * Makes this connection store the previous version of every row that changes or is deleted in `_history`. Triggers of
 * the connection itself do so, so that no code that writes can forget it and a new data type needs no migration.
 * @param currentRun the run whose transaction is under way.
 */
export function keepHistory(
  db: Db,
  datasets: readonly Dataset[],
  currentRun: () => number | undefined = () => undefined,
): void {
  db.function('current_run', () => currentRun() ?? null);
  for (const dataset of datasets) {
    const { table } = dataset;
    const kept = [...heldNames(dataset), 'first_seen_at', 'synced_at', 'synced_run'];
    const former = kept.map((name) => `'${name.replaceAll("'", "''")}', OLD.${quote(name)}`).join(', ');
    const keep = (what: string, at: string) =>
      `INSERT INTO _history (table_name, experiment_id, key, what, at, record, run_id)
       VALUES ('${table}', OLD.experiment_id, OLD.key, '${what}', ${at}, json_object(${former}), current_run());`;
    db.exec(`
      CREATE TEMP TRIGGER ${quote(`keep_changed_${table}`)} AFTER UPDATE ON main.${quote(table)}
      BEGIN ${keep('changed', 'NEW.synced_at')} END;
      CREATE TEMP TRIGGER ${quote(`keep_deleted_${table}`)} BEFORE DELETE ON main.${quote(table)}
      BEGIN ${keep('deleted', "strftime('%Y-%m-%dT%H:%M:%fZ')")} END;`);
  }
}

export const HISTORY: Explained = {
  name: '_history',
  about: 'Rows of the mirrored tables as they were before they changed or were deleted.',
  row: 'an earlier version of a row',
  columns: {
    id: integer('A number; a later change has a larger one.', { privacy: 'none', unit: 'id' }),
    table_name: code('The table of the row.'),
    experiment_id: text('The experiment of the row.', { privacy: 'none' }),
    key: text('The key of the row in its table.', { privacy: 'direct' }),
    what: code('What happened to this version.', { allowed: ['changed', 'deleted'] }),
    at: time('When, by the local clock.', { privacy: 'none' }),
    record: json('The row as it was: its columns and their values.', { privacy: 'direct' }),
    run_id: integer('The run that changed or deleted it: `_runs.id`.', {
      privacy: 'none',
      unit: 'id',
      missing: 'It was before runs were recorded.',
    }),
  },
};
