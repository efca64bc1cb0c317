import { WarehouseError } from '../shared/errors.ts';
import { counted, count } from '../shared/count.ts';
import { isObject } from '../shared/json.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { missingSince } from '../warehouse/missing.ts';
import { countQuarantinedAfter } from '../warehouse/quarantine.ts';
import { countRows } from '../warehouse/records.ts';
import { position, type Session } from '../read/session.ts';
import { DAY_MS } from '../shared/time.ts';

/** What was done about rows that a clean reading no longer found. */
export interface Deletion {
  readonly doubts: readonly Doubt[];
  /** How many rows wait for the user's consent. */
  readonly withheld: number;
}

/** The command that deletes withheld rows. */
const ACCEPT = 'hsw sync now --accept-deletes';

/**
 * Marks rows that are missing for the first time, and deletes those that an earlier reading missed as well. If that
 * would be the whole stream, or too large a share of it within a day, the user has to agree first.
 * @param gone keys that a clean reading of their range did not bring; the API counts as many records fewer.
 */
export async function settleGone(session: Session, gone: readonly string[]): Promise<Deletion> {
  const { sink, warehouse, stream, startedAt, confirmAfterMs, acceptDeletes } = session;
  const since = missingSince(warehouse.db, stream);
  const isDue = (key: string) => {
    const at = since.get(key);
    return at !== undefined && (confirmAfterMs === 0 || startedAt - at >= confirmAfterMs);
  };
  const due = gone.filter(isDue);
  const rows = countRows(warehouse.db, stream) ?? position(session).rows;
  const isGuarded = isTooMuch(session, due.length, rows);
  if (isGuarded && !(await mayView(session))) {
    const text = `${stream.experimentId} is no longer shown to this key, so nothing is deleted`;
    return { doubts: [{ kind: 'gone', text }], withheld: 0 };
  }
  if (isGuarded) {
    sink.drop({ missing: gone, deleted: [], missedAt: startedAt });
    const are = due.length === 1 ? 'is' : 'are';
    const text = `${count(due.length)} of ${counted(rows, 'row')} ${are} no longer in the API and ${are} withheld from deletion, as so many at once may be a mistake (delete with: ${ACCEPT})`;
    return { doubts: [{ kind: 'withheld', text, count: due.length }], withheld: due.length };
  }
  const hidden = acceptDeletes || due.length === 0 ? 0 : mayBeMalformed(session);
  if (hidden > 0) {
    sink.drop({ missing: gone, deleted: [], missedAt: startedAt });
    return { doubts: [hiddenDoubt(due.length, hidden)], withheld: due.length };
  }
  const fresh = gone.filter((key) => !isDue(key));
  sink.drop({ missing: fresh, deleted: due, missedAt: startedAt });
  return { doubts: fresh.length === 0 ? [] : [missingDoubt(fresh.length)], withheld: 0 };
}

/**
 * How many malformed records have come since the API last had as many records as are held: it may still have the rows
 * that are missing, in a form that does not show which ones they are.
 */
function mayBeMalformed(session: Session): number {
  const { balancedAt = 0 } = position(session);
  return countQuarantinedAfter(session.warehouse.db, session.stream, balancedAt);
}

function hiddenDoubt(rows: number, malformed: number): Doubt {
  const came =
    malformed === 1
      ? 'a malformed record that came instead'
      : `${count(malformed)} malformed records that came instead`;
  const text =
    rows <= malformed
      ? `${counted(rows, 'row')} did not come and may be ${came}, so that ${rows === 1 ? 'it is' : 'they are'} withheld from deletion (delete with: ${ACCEPT})`
      : `${counted(rows, 'row')} did not come, and ${count(malformed)} of them may be ${came}; as it is not known which, all are withheld from deletion (delete with: ${ACCEPT})`;
  return { kind: 'withheld', text, count: rows };
}

export function missingDoubt(rows: number): Doubt {
  const [are, they] = rows === 1 ? ['is', 'it is'] : ['are', 'they are'];
  const text = `${counted(rows, 'row')} ${are} no longer in the API; a second reading, a minute later or more, decides whether ${they} deleted here`;
  return { kind: 'missing-upstream', text, count: rows };
}

/** Whether all rows of a stream, or at least two and more than the configured share within a day, would be deleted. */
function isTooMuch({ acceptDeletes, config, ...session }: Session, due: number, rows: number): boolean {
  if (due === 0 || acceptDeletes) return false;
  const { deletedRows, deletedFrom } = position(session);
  const isToday = deletedFrom !== undefined && session.startedAt - deletedFrom < DAY_MS;
  const deleted = (isToday ? deletedRows : 0) + due;
  const before = rows - due + deleted;
  return due >= rows || (deleted >= 2 && deleted > config.deletes.maxShare * before);
}

/** Whether the key may still see the experiment. An API that cannot answer this does not count as a refusal. */
async function mayView({ client, stream, signal, meter }: Session): Promise<boolean> {
  try {
    const { data } = await client.get({
      path: `/data/check-access/experiment/${encodeURIComponent(stream.experimentId)}`,
      endpoint: 'check-access',
      what: `the access to ${stream.experimentId}`,
      onTry: meter.countRequest,
      ...(signal === undefined ? {} : { signal }),
    });
    const [access] = data;
    return !(access !== undefined && isObject(access) && access['canView'] === false);
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    if (error.code === 'INTERRUPTED' || error.code === 'KEY_REFUSED') throw error;
    return error.code !== 'NOT_FOUND' && error.code !== 'SCOPE_MISSING';
  }
}
