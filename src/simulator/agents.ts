import type { SimRecord } from './life.ts';
import { ApiError, jsonReply, type SimReply } from './reply.ts';

/** How many decisions per room agent-decisions returns without a `limit` (Python SDK 0.4.1). */
const DECISIONS_PER_ROOM = 5000;
/** The fields of a decision that are shown only with `detail=true`. */
const DETAIL = new Set(['prompt', 'reasoning', 'chain']);

/** At most `limit` decisions of each room, or `cut` if that is less, followed by the runs of their agents. */
export function agentDecisions(
  decisions: readonly SimRecord[],
  runs: readonly SimRecord[],
  query: URLSearchParams,
  cut = Infinity,
): { rows: SimRecord[]; truncated: boolean } {
  const most = Math.min(readLimit(query), cut);
  const isDetailed = query.get('detail') === 'true';
  const met = new Map<unknown, number>();
  const kept = decisions.filter(({ roomId }) => {
    const count = (met.get(roomId) ?? 0) + 1;
    met.set(roomId, count);
    return count <= most;
  });
  const rows = [
    ...kept.map((decision) => (isDetailed ? decision : withoutDetail(decision))),
    ...runs.map((run) => ({ ...run, _type: 'run' })),
  ];
  return { rows, truncated: kept.length < decisions.length };
}

/** One decision with all its details. */
export function agentDecision(decisions: readonly SimRecord[], id: string | undefined): SimReply {
  const found = decisions.find((decision) => decision['id'] === id);
  if (found === undefined) throw new ApiError(404, `decision not found: ${id ?? ''}`);
  return jsonReply({ status: 'success', data: found, metadata: { dataType: 'agent-decisions', scope: 'room' } });
}

function withoutDetail(decision: SimRecord): SimRecord {
  return Object.fromEntries(Object.entries(decision).filter(([field]) => !DETAIL.has(field)));
}

function readLimit(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text !== null && !/^[1-9]\d*$/.test(text)) throw new ApiError(400, 'limit must be a positive whole number');
  return text === null ? DECISIONS_PER_ROOM : Number(text);
}
