import type { Client } from '../api/client.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import { VERSION } from '../shared/version.ts';
import { beginRun, endRun, type Run, type RunKind, type RunOutcome } from '../warehouse/runs.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/** What counts for a run when it is used within it. */
export interface Recordable {
  readonly client: Client;
  readonly warehouse: Warehouse;
}

/** What a run is for: `options` are those beyond the default. */
export interface RunPurpose {
  readonly kind: RunKind;
  readonly options?: object;
}

/** A run while it is recorded in `_runs`. */
export interface Recording {
  /** The same context, whose requests and commits count for the run. */
  within<Context extends Recordable>(context: Context): Context;
  /** A stream was read. @param isWell whether it is complete, or not given to the key. */
  note(stream: Stream, isWell: boolean): void;
  /** It read what it was to read. @param isWell whether nothing speaks against it beside the streams. */
  end(isWell: boolean): void;
  /** Something ended it. */
  fail(error: unknown): void;
}

/** Records that a run begins. */
export function openRecording(
  { warehouse, clock }: { readonly warehouse: Pick<Warehouse, 'db'>; readonly clock: Pick<Clock, 'now'> },
  { kind, options = {} }: RunPurpose,
): Recording {
  const { db } = warehouse;
  const id = beginRun(db, { kind, version: VERSION, options, now: clock.now() });
  let requests = 0;
  let readings = 0;
  const incomplete = new Set<string>();
  const run: Run = {
    id,
    get requests() {
      return requests;
    },
    get readings() {
      return readings;
    },
    get incompleteStreams() {
      return incomplete.size;
    },
  };
  const end = (outcome: RunOutcome, error?: string) => {
    try {
      endRun(db, run, { outcome, error, now: clock.now() });
    } catch (thrown) {
      // A disk that is full takes no end either: the next start says that the run was interrupted.
      if (!(thrown instanceof WarehouseError)) throw thrown;
    }
  };
  return {
    within: (context) => ({
      ...context,
      client: counting(context.client, () => requests++),
      warehouse: context.warehouse.during(run),
    }),
    note(stream, isWell) {
      readings++;
      if (isWell) incomplete.delete(streamText(stream));
      else incomplete.add(streamText(stream));
    },
    end: (isWell) => end(isWell && incomplete.size === 0 ? 'complete' : 'incomplete'),
    fail: (error) => end(outcomeOf(error), textOf(error)),
  };
}

/** Does something as one run. @param isWell whether its result is; streams that are incomplete are known besides. */
export async function recorded<Result>(
  parts: Parameters<typeof openRecording>[0],
  purpose: RunPurpose,
  work: (recording: Recording) => Promise<Result>,
  isWell: (result: Result) => boolean,
): Promise<Result> {
  const recording = openRecording(parts, purpose);
  try {
    const result = await work(recording);
    recording.end(isWell(result));
    return result;
  } catch (error) {
    recording.fail(error);
    throw error;
  }
}

/** A client that reports each of its requests; its own count still includes all. */
export function counting(client: Client, onTry: () => void): Client {
  return {
    ...client,
    get tries() {
      return client.tries;
    },
    get: (request) =>
      client.get({
        ...request,
        onTry() {
          onTry();
          request.onTry?.();
        },
      }),
  };
}

function outcomeOf(error: unknown): RunOutcome {
  return error instanceof WarehouseError && error.code === 'INTERRUPTED' ? 'interrupted' : 'failed';
}

function textOf(error: unknown): string {
  return error instanceof WarehouseError ? error.message : 'Internal error (a bug in hyperstudy-warehouse).';
}
