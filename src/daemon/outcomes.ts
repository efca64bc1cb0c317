import { streamText, type Stream } from '../datasets/stream.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Clock } from '../shared/clock.ts';
import { isLocal, isOutage, WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { StreamResult } from '../sync/stream.ts';
import { plainError } from '../warehouse/open.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Connections } from './connections.ts';
import type { Experiments } from './experiments.ts';
import type { Outage } from './outage.ts';
import type { RecordedPollStats } from './poll-stats.ts';
import type { Notices } from './notices.ts';

/** Decides what an outcome means for the stream, its experiment, the network and the key. */
export interface Outcomes {
  /** Notes that a stream was read. Returns whether its rows may name new streams. */
  note(stream: Stream, result: StreamResult): { readonly mayNameStreams: boolean };
  /** Notes that a stream was read for a user request. */
  noteRequested(result: StreamResult, over: ApiConnection): void;
  /** Notes an error that is not part of a result. */
  fail(error: unknown, met?: Met): void;
  /** An error after which nothing can be written. */
  readonly fatal: Error | undefined;
}

/** Where an error occurred; by default in no single stream and over the connection in use. */
export interface Met {
  readonly stream?: Stream;
  readonly over?: ApiConnection;
}

export interface OutcomeParts {
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly log: Log;
  readonly connections: Connections;
  readonly experiments: Pick<Experiments, 'note'>;
  readonly outage: Outage;
  readonly pollStats: RecordedPollStats;
  readonly notices: Notices;
}

/** After an internal error a stream is left alone for so long, while the others continue. */
const REST_MS = 600_000;

export function createOutcomes(parts: OutcomeParts): Outcomes {
  const { clock, connections, experiments, log, outage, pollStats, notices, warehouse } = parts;
  let fatal: Error | undefined;
  const failPlainly = (error: WarehouseError, { stream, over = connections.current }: Met) => {
    const { code, message, hint } = error;
    const isFormer = !connections.isCurrent(over) && !isLocal(code);
    if (code === 'INTERRUPTED' || isFormer) return;
    notices.note({ at: clock.now(), code, text: message, hint });
    if (code === 'WAREHOUSE_CORRUPT') fatal = error;
    else if (isOutage(code)) outage.meet(error, stream !== undefined);
  };
  return {
    get fatal() {
      return fatal;
    },
    note(stream, result) {
      const { data, error, inserted } = result;
      const key = streamText(stream);
      pollStats.note(key, result, clock.now());
      experiments.note(result);
      // While the server cannot be reached, a failure says nothing about the stream.
      if (error?.code !== 'SERVER_UNREACHABLE' || !outage.isTrying())
        pollStats.noteEnd(key, result.status === 'failed');
      if (error?.code === 'SERVER_UNREACHABLE')
        outage.meet(new WarehouseError(error.code, error.message, { hint: error.hint }), true);
      else outage.over();
      if (error !== undefined)
        notices.note({ at: clock.now(), code: error.code, text: error.message, hint: error.hint });
      return { mayNameStreams: inserted > 0 && (data === 'rooms' || data === 'deployments') };
    },
    noteRequested(result, over) {
      experiments.note(result);
      if (result.error === undefined && connections.isCurrent(over)) outage.over();
    },
    fail(error, met = {}) {
      const said = error instanceof WarehouseError ? error : plainError(warehouse.path, error);
      if (said !== undefined) {
        failPlainly(said, met);
        return;
      }
      const key = met.stream === undefined ? 'reconcile' : streamText(met.stream);
      log.error(
        { err: error, stream: key },
        'internal error (a bug in hyperstudy-warehouse); this stream is paused for 10 minutes, the others continue',
      );
      if (met.stream !== undefined) pollStats.rest(key, clock.now() + REST_MS);
    },
  };
}
