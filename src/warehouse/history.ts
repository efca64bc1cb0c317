import { quote } from '../shared/sqlite.ts';
import type { Dataset } from '../datasets/define.ts';
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
  for (const { table, columns } of datasets) {
    const kept = [...columns.map(({ name }) => name), 'extra', 'first_seen_at', 'synced_at', 'synced_run'];
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
