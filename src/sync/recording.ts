import type { Client } from '../api/client.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import { VERSION } from '../shared/version.ts';
import { beginRun, endRun, type Run, type RunKind, type RunOutcome } from '../warehouse/runs.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/** Whatever sends requests and writes rows that are recorded for a run. */
export interface Recordable {
  readonly client: Client;
  readonly warehouse: Warehouse;
}

/** The kind of a run, and its options other than the defaults. */
export interface RunPurpose {
  readonly kind: RunKind;
  readonly options?: object;
}

/** A run that is being recorded in `_runs`. */
export interface Recording {
  /** The same context, with its requests and commits counted for the run. */
  within<Context extends Recordable>(context: Context): Context;
  /** Records that a stream was read. @param isWell whether it is complete, or not accessible to the key. */
  note(stream: Stream, isWell: boolean): void;
  /** Records that the run ended normally. @param isWell whether everything but the streams was fine. */
  end(isWell: boolean): void;
  /** Records that an error ended the run. */
  fail(error: unknown): void;
}

/** Begins a run and records it. */
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
      // On a full disk the end cannot be written either: the next start records the run as interrupted.
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

/** Does some work as one run. @param isWell whether its result is fine; incomplete streams are counted separately. */
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

/** A client that calls `onTry` for each of its requests. */
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
