import { WarehouseError } from '../shared/errors.ts';
import { counted, count } from '../shared/count.ts';
import { isObject, parseJson } from '../shared/json.ts';
import { keyOfMalformed, withoutOrdinal } from '../datasets/keys.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { missingSince } from '../warehouse/missing.ts';
import { quarantinedAfter } from '../warehouse/quarantine.ts';
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
  const hidden = acceptDeletes || due.length === 0 ? NONE_HIDDEN : hiddenAmong(session, due);
  const [kept, deleted] =
    hidden.unnamed > 0 ? [due, []] : [hidden.rows, due.filter((key) => !hidden.rows.includes(key))];
  const isGuarded = isTooMuch(session, hidden.unnamed > 0 ? due.length : deleted.length, rows);
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
  const fresh = gone.filter((key) => !isDue(key));
  sink.drop({ missing: [...fresh, ...kept], deleted, missedAt: startedAt });
  const doubts = [
    ...(kept.length === 0 ? [] : [hiddenDoubt(kept.length, hidden.unnamed)]),
    ...(fresh.length === 0 ? [] : [missingDoubt(fresh.length)]),
  ];
  return { doubts, withheld: kept.length };
}

/** What is known about malformed records that came since the API last had as many records as are held. */
interface Hidden {
  /** The missing rows whose ids or names they have: these are still in the API. */
  readonly rows: readonly string[];
  /** How many have neither: each may be any of the missing rows. */
  readonly unnamed: number;
}

const NONE_HIDDEN: Hidden = { rows: [], unnamed: 0 };

function hiddenAmong(session: Session, due: readonly string[]): Hidden {
  const { stream, warehouse } = session;
  const { balancedAt = 0 } = position(session);
  const { dataset, scope } = stream;
  const origin = scope.kind === 'room' ? { fill: { roomId: scope.id } } : {};
  const keys = quarantinedAfter(warehouse.db, stream, balancedAt).map(({ isUnclear, record }) =>
    isUnclear ? undefined : keyOfMalformed(dataset, parseJson(record), origin),
  );
  const named = new Set(keys);
  return {
    rows: due.filter((key) => named.has(withoutOrdinal(key))),
    unnamed: keys.filter((key) => key === undefined).length,
  };
}

/** @param unnamed how many malformed records do not show which rows they are. */
function hiddenDoubt(rows: number, unnamed: number): Doubt {
  const it = rows === 1 ? 'it is' : 'they are';
  const text =
    unnamed === 0
      ? `${counted(rows, 'row')} came as ${rows === 1 ? 'a malformed record' : 'malformed records'}, so that ${it} withheld from deletion (delete with: ${ACCEPT})`
      : rows <= unnamed
        ? `${counted(rows, 'row')} did not come and may be ${malformedInstead(unnamed)}, so that ${it} withheld from deletion (delete with: ${ACCEPT})`
        : `${counted(rows, 'row')} did not come, and ${count(unnamed)} of them may be ${malformedInstead(unnamed)}; as it is not known which, all are withheld from deletion (delete with: ${ACCEPT})`;
  return { kind: 'withheld', text, count: rows };
}

function malformedInstead(records: number): string {
  return records === 1
    ? 'a malformed record that came instead'
    : `${count(records)} malformed records that came instead`;
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
