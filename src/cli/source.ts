import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import type { Selection } from '../schedule/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import { queryValues } from '../shared/sqlite.ts';
import { configuredExperiments, currentPositions } from '../sync/roster.ts';
import { openReader } from '../runtime/reader.ts';
import { recallList } from '../warehouse/experiment-list.ts';
import { openForReading, withPlainErrors, type Db } from '../warehouse/open.ts';
import { allPositions, type StoredPosition } from '../warehouse/positions.ts';
import { experimentNames, knownExperiments } from '../warehouse/structure.ts';
import { readConfig, type CommandContext } from './context.ts';
import { idsOf, meant, suggestion, type KnownExperiment } from './experiment-names.ts';
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
  const all = [...new Set(positions.map(({ experimentId }) => experimentId))].sort();
  if (all.length === 0)
    throw new WarehouseError('USAGE', 'The warehouse has no experiment yet.', { hint: 'Run `hsw sync now` first.' });
  const known = withNames(db, all);
  const { ids, unknown } = idsOf(asked, known);
  if (unknown.length > 0)
    throw new WarehouseError('USAGE', `The warehouse has no experiment ${unknown.join(', ')}.`, {
      hint: suggestion(unknown, known, 'It has'),
    });
  return asked.length === 0 ? all : [...ids].sort();
}

/** Experiments with their names, as far as the warehouse has them. */
export function withNames(db: Db, ids: readonly string[]): KnownExperiment[] {
  const names = experimentNames(db);
  return ids.map((id) => ({ id, name: names.get(id) }));
}

/**
 * Does something to experiments that were selected by id or name. An id that the warehouse does not know may be new, so
 * that it is looked for in the API.
 * @throws WarehouseError what `use` throws, with what may have been meant by an experiment that is nowhere.
 */
export async function withIds<T>(
  config: Config,
  selection: Selection,
  use: (selection: Selection) => Promise<T>,
): Promise<T> {
  const asked = selection.experiments;
  if (asked === undefined) return use(selection);
  const known = knownIn(config.warehouse.path);
  const { ids, unknown } = idsOf(asked, known);
  try {
    return await use({ ...selection, experiments: [...ids, ...unknown] });
  } catch (error) {
    const question = meant(unknown, known);
    if (question === undefined || !(error instanceof WarehouseError) || error.code !== 'USAGE') throw error;
    throw new WarehouseError('USAGE', error.message, { hint: `${question} ${error.hint ?? ''}`.trim(), cause: error });
  }
}

/** The experiments of a warehouse, which may be one of an earlier version. */
function knownIn(path: string): KnownExperiment[] {
  if (!existsSync(path)) return [];
  const db = openForReading(path);
  try {
    return withPlainErrors(path, () => (isEmpty(db) ? [] : withNames(db, knownExperiments(db))));
  } finally {
    db.close();
  }
}

/** Whether a kill came before the first tables were made. */
function isEmpty(db: Db): boolean {
  return queryValues(db, "SELECT count(*) FROM sqlite_schema WHERE name = '_streams'", z.number()).get() === 0;
}
