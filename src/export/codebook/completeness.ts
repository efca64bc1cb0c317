import type { Dataset } from '../../datasets/define.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { formatTime } from '../../shared/time.ts';
import type { Db } from '../../warehouse/open.ts';
import type { StoredPosition } from '../../warehouse/positions.ts';
import { quarantinedRecords } from '../../warehouse/quarantine.ts';
import { standingOf } from '../../warehouse/standing.ts';
import { describeLacks } from '../caveats.ts';

/** Whether the data of an experiment are all there. */
export interface Completeness {
  /** Up to when everything that may still grow was read, UTC; null where nothing was. */
  readonly asOf: string | null;
  /** A sentence for each thing that may be missing. */
  readonly lacks: readonly string[];
  /** By data type: whether it may be incomplete, and up to when it was read. */
  readonly data: Readonly<Record<string, { readonly isLacking: boolean; readonly asOf: string | null }>>;
  /** Data types that the key may not read, and those that were not asked for. */
  readonly unreadable: readonly string[];
  readonly unasked: readonly string[];
}

export function completenessOf(db: Db, experiment: string, positions: readonly StoredPosition[]): Completeness {
  const streams = Map.groupBy(
    positions.filter(({ experimentId }) => experimentId === experiment),
    ({ data }) => data,
  );
  const states = DATASETS.map((dataset) => stateOf(db, experiment, dataset, streams.get(dataset.name) ?? []));
  const named = (wanted: 'unreadable' | 'unasked') => states.filter(({ is }) => is === wanted).map(({ name }) => name);
  return {
    asOf: readUpTo([...streams.values()].flat()),
    lacks: states.flatMap(({ lines }) => lines),
    data: Object.fromEntries(states.map(({ name, isLacking, asOf }) => [name, { isLacking, asOf }])),
    unreadable: named('unreadable'),
    unasked: named('unasked'),
  };
}

function stateOf(db: Db, experiment: string, { name }: Dataset, streams: readonly StoredPosition[]) {
  const asOf = readUpTo(streams);
  const standings = streams.map(standingOf);
  if (standings.every((standing) => standing === 'skipped')) {
    const is = streams.length === 0 ? ('unasked' as const) : ('unreadable' as const);
    return { name, is, isLacking: false, asOf, lines: [] };
  }
  const quarantined = quarantinedRecords(db, name, [experiment]).length;
  const { lines, isDoubtful } = describeLacks(name, streams, { quarantined, issues: [] });
  return { name, is: 'read' as const, isLacking: isDoubtful, asOf, lines };
}

/** The oldest reading of what may still grow; the newest of all where nothing may. */
function readUpTo(streams: readonly StoredPosition[]): string | null {
  const times = (of: readonly StoredPosition[]) =>
    of.flatMap(({ dataAsOf }) => (dataAsOf === undefined ? [] : [dataAsOf]));
  const growing = times(streams.filter(({ finished }) => !finished));
  const all = times(streams);
  if (all.length === 0) return null;
  return formatTime(growing.length > 0 ? Math.min(...growing) : Math.max(...all));
}
