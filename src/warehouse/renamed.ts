import { z } from 'zod';
import { DATASETS } from '../datasets/registry.ts';
import { columnNames } from './column-names.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';
import { formatTime } from '../shared/time.ts';
import { viewName } from './views.ts';

/** A column of an earlier version that a query may name, and the columns that have its values now. */
export interface Renamed {
  readonly relation: string;
  readonly column: string;
  readonly now: readonly string[];
}

export interface Renames {
  /** When they got their names, in milliseconds since 1970 UTC. */
  readonly at: number;
  readonly columns: readonly Renamed[];
}

const NAME = 'renamed';
const Noted = z.object({ at: z.number() });

/** The migration that gave values of any type a column for each type. */
const MIXED_VALUES = '0010_mixed_values';

/** Notes when columns got other names, for `renamedColumns`. @param migrations those that the file has just got. */
export function noteRenamed(db: Db, migrations: readonly string[], now: number): void {
  if (migrations.includes(MIXED_VALUES))
    remember(db, NAME, JSON.stringify({ at: now } satisfies z.infer<typeof Noted>), now);
}

/** What has had another name since an update, and when that was; undefined where that was before a time, or never. */
export function renamedColumns(db: Db, since: number): Renames | undefined {
  const noted = Noted.safeParse(JSON.parse(recall(db, NAME) ?? 'null')).data;
  if (noted === undefined || noted.at < since) return undefined;
  return { at: noted.at, columns: [...renamedFields(), ...renamedMembers(db)] };
}

function renamedFields(): Renamed[] {
  return DATASETS.flatMap(({ table, columns }) => {
    const parts = columns.filter(({ part }) => part !== undefined);
    return [...Map.groupBy(parts, ({ field }) => field).values()].map((all): Renamed => {
      const names = all.map(({ name }) => name);
      return { relation: table, column: names[0]?.replace(/_type$/, '') ?? '', now: names };
    });
  });
}

/** Members that the view of an earlier version showed in one column. */
function renamedMembers(db: Db): Renamed[] {
  return DATASETS.flatMap((dataset) => {
    const names = columnNames(db, dataset.table);
    return names
      .filter(({ type, since }) => type === 'mixed' && since === null)
      .map(({ path, column }): Renamed => ({
        relation: viewName(dataset),
        column: column ?? '',
        now: names.filter((name) => name.path === path && name.type !== 'mixed').flatMap((name) => name.column ?? []),
      }));
  });
}

/** The same in words, for people whose queries name such a column. */
export function renamedText(renamed: Renames | undefined): string {
  if (renamed === undefined) return '';
  const lines = renamed.columns.map(({ relation, column, now }) => `  ${relation}.${column}: now ${now.join(', ')}\n`);
  return `Since the update of ${formatTime(renamed.at).slice(0, 10)} these columns have other names, one for each type of value:\n${lines.join('')}`;
}
