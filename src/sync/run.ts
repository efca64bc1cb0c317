import type { Config } from '../config/schema.ts';
import type { Stream } from '../datasets/stream.ts';
import { findExperiments } from './experiments.ts';
import { planStreams, waveOf, type PlannedExperiment, type Selection } from '../plan/streams.ts';
import { finishedRooms, partText } from '../warehouse/positions.ts';
import { knownDeployments, knownRooms } from '../warehouse/structure.ts';
import { syncStream, type StreamResult, type SyncContext } from './stream.ts';

/** What a sync did, as `sync now --json` prints it. */
export interface SyncResult {
  /** ok · partial: some streams failed or are incomplete. */
  readonly status: 'ok' | 'partial';
  readonly requests: number;
  readonly durationMs: number;
  readonly streams: readonly StreamResult[];
}

export interface SyncOptions extends SyncContext {
  readonly selection: Selection;
  readonly onStream?: ((event: { stream: Stream; result?: StreamResult }) => void) | undefined;
}

/**
 * Syncs everything that is configured or selected: finds the experiments, reads what names their deployments and
 * rooms, then all the rest, several streams at a time.
 * @throws WarehouseError when nothing more can be read or written: key refused, interrupted, disk full.
 */
export async function runSync(options: SyncOptions): Promise<SyncResult> {
  const { client, warehouse, config, clock, selection } = options;
  const startedAt = clock.now();
  const spentBefore = client.tries;
  const experiments = await findExperiments(options);
  const results: StreamResult[] = [];
  try {
    for (const wave of [0, 1, 2] as const) {
      const streams = experiments
        .flatMap((experiment) => plan(options, experiment))
        .filter((stream) => waveOf(stream) === wave);
      results.push(...(await syncAll(options, streams)));
    }
  } finally {
    warehouse.refreshViews();
  }
  const isExplicit = ({ experiment, data }: StreamResult) => namesData(config, selection, experiment, data);
  const isFine = (result: StreamResult) =>
    result.status === 'ok' || (result.status === 'skipped' && !isExplicit(result));
  return {
    status: results.every(isFine) ? 'ok' : 'partial',
    requests: client.tries - spentBefore,
    durationMs: clock.now() - startedAt,
    streams: results,
  };
}

/** What planning needs to know; it reads the warehouse only. */
type Planning = Pick<SyncOptions, 'config' | 'selection' | 'full'> & {
  readonly warehouse: Pick<SyncOptions['warehouse'], 'db'>;
};

/** The streams of a sync as far as they are known before it, for `--dry-run`. */
export function knownStreams(options: Planning, experiments: readonly PlannedExperiment[]): Stream[] {
  return experiments.flatMap((experiment) => plan(options, experiment));
}

/** The streams of an experiment; a finished room is left alone unless everything is to be read again. */
function plan({ config, warehouse, selection, full }: Planning, experiment: PlannedExperiment): Stream[] {
  const known = {
    rooms: knownRooms(warehouse.db, experiment.id).ids,
    deployments: knownDeployments(warehouse.db, experiment.id),
  };
  const streams = planStreams(config, experiment, known, selection);
  if (full) return streams;
  const finished = finishedRooms(warehouse.db, experiment.id);
  return streams.filter((stream) => stream.scope.kind !== 'room' || !finished.has(partText(stream)));
}

async function syncAll(options: SyncOptions, streams: readonly Stream[]): Promise<StreamResult[]> {
  const waiting = [...streams];
  const results: StreamResult[] = [];
  const worker = async () => {
    for (let stream = waiting.shift(); stream !== undefined; stream = waiting.shift()) {
      options.onStream?.({ stream });
      const result = await syncStream(options, stream);
      results.push(result);
      options.onStream?.({ stream, result });
    }
  };
  // When one worker meets what ends the sync, the others finish their page or are refused in turn.
  const ends = await Promise.allSettled(Array.from({ length: options.config.api.concurrency }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}

function namesData(config: Config, selection: Selection, experimentId: string, data: string): boolean {
  const experiment = config.experiments.find((candidate) => 'id' in candidate && candidate.id === experimentId);
  const named = selection.data ?? experiment?.data ?? config.data;
  return named !== 'all' && named.includes(data);
}
