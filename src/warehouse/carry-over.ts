import { z } from 'zod';
import { command, queryRows } from '../shared/sqlite.ts';
import { doubtsToText, isComplete, reasonOf, rereadDoubt, type Doubt } from './doubts.ts';
import type { Db } from './open.ts';

const Earlier = z.object({
  rowid: z.number(),
  complete: z.number(),
  reason: z.string().nullable(),
  last_status: z.string().nullable(),
  reread_reason: z.string().nullable(),
});
type Earlier = z.infer<typeof Earlier>;

/** How version 0.1.0 said that rows were withheld from deletion. */
const WITHHELD = /(\d+) of \d+ rows are no longer in the API; they were kept[^;]*/;

/**
 * Turns what a warehouse of version 0.1.0 says about its streams' completeness in words into doubts. Call it in the
 * transaction that opens the warehouse; a warehouse of this version is left as it is.
 */
export function carryOverReasons(db: Db): void {
  const sql = 'SELECT rowid, complete, reason, last_status, reread_reason FROM _streams WHERE doubts IS NULL';
  const earlier = queryRows(db, sql, Earlier).all();
  const write = command(
    db,
    `UPDATE _streams SET doubts = ?, complete = ?, reason = ?, withheld_rows = ?, quarantined_records = (
       SELECT count(*) FROM _quarantine q
       WHERE q.experiment_id = _streams.experiment_id AND q.data = _streams.data AND q.scope = _streams.scope)
     WHERE rowid = ?`,
  );
  for (const stream of earlier) {
    const doubts = [...doubtsOf(stream), ...rereadDoubts(stream)];
    const withheld = doubts.find(({ kind }) => kind === 'withheld')?.count ?? 0;
    write(doubtsToText(doubts), Number(isComplete(doubts)), reasonOf(doubts) ?? null, withheld, stream.rowid);
  }
}

function doubtsOf({ complete, reason, last_status }: Earlier): Doubt[] {
  if (complete === 1) return [];
  const said = reason ?? 'not read yet';
  const withheld = WITHHELD.exec(said);
  const rest = said
    .replace(WITHHELD, '')
    .replace(/^; |; $/g, '')
    .replace('; ; ', '; ');
  return [
    ...(withheld === null ? [] : [{ kind: 'withheld' as const, text: withheld[0], count: Number(withheld[1]) }]),
    ...(rest === '' ? [] : [{ kind: kindOf(rest, last_status), text: rest }]),
  ];
}

/** Texts that may have been cut are read again; until then the stream may differ from the API. */
function rereadDoubts({ reread_reason }: Earlier): Doubt[] {
  return reread_reason === null ? [] : [rereadDoubt(reread_reason)];
}

function kindOf(said: string, lastStatus: string | null): Doubt['kind'] {
  if (said === 'not read yet') return 'unread';
  if (lastStatus === 'failed') return 'failed';
  return lastStatus === 'skipped' ? 'no-scope' : 'earlier';
}
