import { WarehouseError } from '../shared/errors.ts';
import { configuredExperiments, currentPositions } from '../sync/roster.ts';
import { openReader } from '../runtime/reader.ts';
import { recallList } from '../warehouse/experiment-list.ts';
import type { Db } from '../warehouse/open.ts';
import { allPositions, type StoredPosition } from '../warehouse/positions.ts';
import { experimentNames } from '../warehouse/structure.ts';
import { readConfig, type CommandContext } from './context.ts';
import { openFile } from './warehouse-file.ts';

/** A warehouse that a command describes, copies or certifies. */
export interface Source {
  readonly db: Db;
  readonly positions: () => StoredPosition[];
  /** What is wrong with the list of experiments. */
  readonly issues: () => readonly { readonly message: string }[];
}

/**
 * The configured warehouse, or a file without a configuration; streams that are configured and were never read are
 * known only from the configuration.
 */
export function openSource(context: CommandContext, file: string | undefined): Source {
  if (file !== undefined) {
    const db = openFile(file);
    return { db, positions: () => allPositions(db), issues: () => [] };
  }
  const config = readConfig(context, false);
  const db = openReader(config);
  return {
    db,
    positions: () => currentPositions(db, configuredExperiments(db, config)),
    issues: () => recallList(db, config),
  };
}

/**
 * The ids of the experiments that were asked for by id or name, by default of all.
 * @throws WarehouseError USAGE for an experiment that the warehouse does not know, and where it knows none.
 */
export function experimentsIn(
  db: Db,
  positions: readonly StoredPosition[],
  asked: readonly string[] = [],
): readonly string[] {
  const known = [...new Set(positions.map(({ experimentId }) => experimentId))].sort();
  const names = experimentNames(db);
  const idsOf = (one: string) => (known.includes(one) ? [one] : known.filter((id) => names.get(id) === one));
  const unknown = asked.filter((one) => idsOf(one).length === 0);
  if (known.length > 0 && unknown.length === 0)
    return asked.length === 0 ? known : [...new Set(asked.flatMap(idsOf))].sort();
  const message =
    known.length === 0
      ? 'The warehouse has no experiment yet.'
      : `The warehouse has no experiment ${unknown.join(', ')}.`;
  throw new WarehouseError('USAGE', message, {
    hint: known.length === 0 ? 'Run `hsw sync now` first.' : `It has: ${titlesIn(db, known)}.`,
  });
}

/** Ids with their names, as far as they have one. */
export function titlesIn(db: Db, ids: readonly string[]): string {
  const names = experimentNames(db);
  const titleOf = (id: string) => (names.has(id) ? `${id} (${names.get(id) ?? ''})` : id);
  return ids.map(titleOf).join(', ');
}
