import type { Stream } from '../datasets/stream.ts';
import { streamText } from '../datasets/stream.ts';
import { isOutage, WarehouseError } from '../shared/errors.ts';
import { type StreamResult } from '../sync/stream.ts';
import { plainError } from '../warehouse/open.ts';
import { readPosition, type Position } from '../warehouse/positions.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { State } from './state.ts';

/** After a mistake of ours in a stream it rests, and the others go on. */
const REST_MS = 600_000;

/** A stream was read: what that says of the stream, its experiment, the network and the key. */
export function noteResult(state: State, stream: Stream, result: StreamResult): void {
  const { observed, experiments, troubles, problems, clock, warehouse } = state;
  const now = clock.now();
  const { error, data, status } = result;
  observed.note(streamText(stream), result, now);
  experiments.note(result);
  // While the server is away, that a stream fails says nothing of the stream.
  const isAway = error?.code === 'SERVER_UNREACHABLE' && troubles.isTrying();
  if (!isAway) observed.noteEnd(streamText(stream), status === 'failed');
  if (error?.code === 'SERVER_UNREACHABLE')
    troubles.meet(new WarehouseError(error.code, error.message, { hint: error.hint }), true);
  else troubles.over();
  if (error !== undefined) problems.note({ at: now, code: error.code, text: error.message, hint: error.hint });
  else if (status === 'incomplete') {
    const text = `${streamText(stream)} may be incomplete: ${readPosition(warehouse.db, stream).reason ?? 'the log says why'}.`;
    problems.note({
      at: now,
      code: 'ANSWER_INCOMPLETE',
      text,
      hint: hintFor(result, readPosition(warehouse.db, stream)),
    });
  }
  // What names rooms or deployments may have made new streams.
  if (result.inserted > 0 && (data === 'rooms' || data === 'deployments')) state.plannedAt = -Infinity;
}

function hintFor({ deleted }: StreamResult, { withheldRows }: Position): string {
  if (withheldRows > 0 && deleted === 0)
    return 'If they are meant to be gone, run: hsw sync now --accept-deletes. Until then they are kept.';
  return 'No row is lost. The next sync tries again by itself.';
}

/**
 * Something failed that no result tells.
 * @param stream undefined where it was no single stream's.
 * @param connection over which it failed: what a former key or server said means nothing for the one in use.
 */
export function noteFailure(
  state: State,
  stream: Stream | undefined,
  error: unknown,
  connection: ApiConnection = state.connection,
): void {
  const { observed, problems, troubles, clock, log, warehouse } = state;
  const said = error instanceof WarehouseError ? error : plainError(warehouse.path, error);
  if (said !== undefined) {
    const { code, message, hint } = said;
    const isFormer = connection !== state.connection && !code.startsWith('WAREHOUSE_');
    if (code === 'INTERRUPTED' || isFormer) return;
    problems.note({ at: clock.now(), code, text: message, hint });
    if (code === 'WAREHOUSE_CORRUPT') state.fatal = said;
    else if (isOutage(code)) troubles.meet(said, stream !== undefined);
    return;
  }
  const key = stream === undefined ? 'reconcile' : streamText(stream);
  log.error(
    { err: error, stream: key },
    'internal error (a bug in hyperstudy-warehouse); this stream rests, the others go on',
  );
  if (stream !== undefined) observed.rest(key, clock.now() + REST_MS);
}
