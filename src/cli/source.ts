import { WarehouseError } from '../shared/errors.ts';
import { configuredExperiments, currentPositions } from '../sync/roster.ts';
import { openReader } from '../runtime/reader.ts';
import { recallList } from '../warehouse/experiment-list.ts';
import type { Db } from '../warehouse/open.ts';
import { allPositions, type StoredPosition } from '../warehouse/positions.ts';
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
 * The experiments that were asked for, by default all.
 * @throws WarehouseError USAGE for an experiment that the warehouse does not know, and where it knows none.
 */
export function experimentsIn(positions: readonly StoredPosition[], ids: readonly string[] = []): readonly string[] {
  const known = [...new Set(positions.map(({ experimentId }) => experimentId))].sort();
  const unknown = ids.filter((id) => !known.includes(id));
  if (known.length > 0 && unknown.length === 0) return ids.length === 0 ? known : [...new Set(ids)].sort();
  const message =
    known.length === 0
      ? 'The warehouse has no experiment yet.'
      : `The warehouse has no experiment ${unknown.join(', ')}.`;
  throw new WarehouseError('USAGE', message, {
    hint: known.length === 0 ? 'Run `hsw sync now` first.' : `It has: ${known.join(', ')}.`,
  });
}
