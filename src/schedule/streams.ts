import type { Config, ExperimentConfig } from '../config/schema.ts';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import type { Scope, Stream } from '../datasets/stream.ts';

/** What the warehouse knows about an experiment when its streams are planned. */
export interface Known {
  readonly rooms: readonly string[];
  readonly deployments: readonly string[];
}

/** What the command line limits a sync to. */
export interface Selection {
  readonly experiments?: readonly string[];
  readonly data?: readonly string[];
}

/** An experiment with its restrictions from the configuration. */
export type PlannedExperiment = { readonly id: string } & Pick<
  Extract<ExperimentConfig, { id: string }>,
  'data' | 'rooms' | 'participants' | 'deployments'
> & {
    /** Only the deployments that are named are shared; the API does not give the experiment itself. */
    readonly isPartlyShared?: boolean;
  };

/**
 * The streams of an experiment in the order in which they can be read: first those that list its deployments and rooms.
 * Pure: what is not known yet (rooms of a new experiment) gives no stream until the next call.
 */
export function planStreams(
  config: Pick<Config, 'data' | 'options'>,
  experiment: PlannedExperiment,
  known: Known,
  selection: Selection = {},
): Stream[] {
  const wanted = experiment.data ?? config.data;
  return DATASETS.filter(({ name }) => wanted === 'all' || wanted.includes(name))
    .filter(({ name }) => selection.data === undefined || selection.data.includes(name))
    .flatMap((dataset) =>
      scopesOf(dataset, experiment, known).flatMap((scope) =>
        filtersOf(dataset, config.options[dataset.name] ?? {}).map((filter) => ({
          experimentId: experiment.id,
          dataset,
          scope,
          ...(Object.keys(filter).length === 0 ? {} : { filter }),
        })),
      ),
    );
}

/** Data types that list an experiment's rooms and deployments. */
const STRUCTURE: ReadonlySet<string> = new Set(['experiments', 'deployments', 'rooms']);

/**
 * When a stream can be read within a sync: 0 immediately, 1 when the deployments and rooms that others may be read by
 * are known, 2 when it is known which rooms belong to which deployment.
 */
export function waveOf({ dataset, scope }: Stream): 0 | 1 | 2 {
  if (STRUCTURE.has(dataset.name)) return 0;
  return scope.kind === 'deployment' && dataset.scopes.includes('experiment') ? 2 : 1;
}

/** Whether the configuration or the command line names a data type of an experiment. */
export function namesData(
  config: Pick<Config, 'data' | 'experiments'>,
  { experimentId, data }: { readonly experimentId: string; readonly data: string },
  selection: Selection = {},
): boolean {
  const own = config.experiments.find((candidate) => 'id' in candidate && candidate.id === experimentId);
  const all = config.experiments.find((candidate) => 'all' in candidate);
  const named = selection.data ?? (own ?? all)?.data ?? config.data;
  return named !== 'all' && named.includes(data);
}

/** The data types that are requested for each room or deployment that an experiment is found to have. */
export function readForEach(
  part: 'rooms' | 'deployments',
  config: Pick<Config, 'data' | 'experiments'>,
  experimentId: string,
): string[] {
  const own = config.experiments.find((candidate) => 'id' in candidate && candidate.id === experimentId);
  const found = own ?? config.experiments.find((candidate) => 'all' in candidate);
  const experiment = { ...found, id: experimentId };
  const known = { rooms: [], deployments: [], [part]: [''] };
  return planStreams({ data: config.data, options: {} }, experiment, known)
    .filter(({ scope }) => 'id' in scope && scope.id === '')
    .map(({ dataset }) => dataset.name);
}

function scopesOf(dataset: Dataset, experiment: PlannedExperiment, known: Known): Scope[] {
  const can = (kind: Scope['kind']) => dataset.scopes.includes(kind);
  const { rooms = [], participants = [], deployments = [] } = experiment;
  if (experiment.isPartlyShared === true) return scopesOfShare(dataset, deployments, known);
  const isRestricted = rooms.length + participants.length + deployments.length > 0;
  if (dataset.scopes.every((scope) => scope === 'deployment')) {
    return (deployments.length > 0 ? deployments : known.deployments).map((id) => ({ kind: 'deployment', id }));
  }
  if (!can('experiment')) {
    const wanted = isRestricted ? [...rooms, ...participants.map(({ room }) => room)] : known.rooms;
    return [...new Set(wanted)].map((id) => ({ kind: 'room', id }));
  }
  if (!isRestricted || !can('room')) return [{ kind: 'experiment' }];
  return [
    ...rooms.map((id) => ({ kind: 'room' as const, id })),
    ...participants
      .filter(({ room }) => !rooms.includes(room))
      .map(({ id, room }): Scope =>
        can('participant') ? { kind: 'participant', id, room } : { kind: 'room', id: room },
      ),
    ...(can('deployment') ? deployments.map((id) => ({ kind: 'deployment' as const, id })) : []),
  ];
}

/**
 * What can be asked for where only deployments are shared: by deployment or, where the API has no such request, by
 * room.
 */
function scopesOfShare(dataset: Dataset, deployments: readonly string[], known: Known): Scope[] {
  if (dataset.listsParts === 'deployments') return [{ kind: 'experiment' }];
  if (dataset.scopes.includes('deployment')) return deployments.map((id) => ({ kind: 'deployment', id }));
  return dataset.scopes.includes('room') ? known.rooms.map((id) => ({ kind: 'room', id })) : [];
}

/** Configured options with the name of a field are filters: each of their values makes a separate stream. */
function filtersOf(
  dataset: Dataset,
  options: NonNullable<Config['options'][string]>,
): Record<string, string | boolean>[] {
  return Object.entries(options)
    .filter(([name]) => Object.hasOwn(dataset.fields, name))
    .reduce<Record<string, string | boolean>[]>(
      (filters, [name, value]) =>
        filters.flatMap((filter) =>
          (Array.isArray(value) ? (value as readonly string[]) : [value as string | boolean]).map((one) => ({
            ...filter,
            [name]: one,
          })),
        ),
      [{}],
    );
}
