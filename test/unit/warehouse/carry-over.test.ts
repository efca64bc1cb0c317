import { describe, expect, it } from 'vitest';
import { carryOverReasons } from '../../../src/warehouse/carry-over.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
import { allPositions } from '../../../src/warehouse/positions.ts';

/** A stream as version 0.1.0 left it, once it was carried over. */
function carried(complete: number, reason: string | null, lastStatus: string) {
  const db = openEmpty();
  db.prepare(
    `INSERT INTO _streams (experiment_id, data, scope, complete, reason, last_status, rows)
     VALUES ('e', 'events', 'experiment', ?, ?, ?, 100)`,
  ).run(complete, reason, lastStatus);
  carryOverReasons(db);
  const [{ doubts, withheldRows, complete: isComplete } = { doubts: [], withheldRows: -1 }] = allPositions(db);
  return { kinds: doubts.map(({ kind }) => kind), texts: doubts.map(({ text }) => text), withheldRows, isComplete };
}

const KEPT =
  '24 of 76 rows are no longer in the API; they were kept, as so many at once may be a mistake (accept with: hsw sync now --accept-deletes)';

describe('the reason that version 0.1.0 stored for a stream', () => {
  it.each([
    ['a complete stream', 1, null, 'ok', [], 0],
    ['one that was never read', 0, 'not read yet', '', ['unread'], 0],
    ['one that failed', 0, 'The API failed on events of e.', 'failed', ['failed'], 0],
    ['one that the key may not read', 0, 'The key may not read events of e.', 'skipped', ['no-scope'], 0],
    ['one of which the API warned', 0, 'the API warned: MISSING_INDEX', 'incomplete', ['earlier'], 0],
    ['one whose rows were kept', 0, KEPT, 'incomplete', ['withheld'], 24],
    ['one that failed and whose rows were kept', 0, `It failed.; ${KEPT}`, 'failed', ['withheld', 'failed'], 24],
  ])('becomes a doubt with a kind: %s', (_, complete, reason, status, kinds, withheld) => {
    const { isComplete, ...found } = carried(complete, reason, status);
    expect(found).toMatchObject({ kinds, withheldRows: withheld });
    expect(isComplete).toBe(kinds.length === 0);
  });

  it('keeps all of its words', () => {
    expect(carried(0, `It failed.; ${KEPT}`, 'failed').texts).toEqual([KEPT, 'It failed.']);
  });

  it('becomes a doubt if texts may have been cut, until everything was read again', () => {
    const db = openEmpty();
    db.exec(
      "INSERT INTO _streams (experiment_id, data, scope, complete, reread_reason) VALUES ('e', 'chat', 'experiment', 1, 'texts were cut')",
    );
    carryOverReasons(db);
    expect(allPositions(db)).toMatchObject([{ complete: false, doubts: [{ kind: 'reread' }] }]);
    expect(db.prepare('SELECT reason FROM _streams').pluck().get()).toBe(
      'everything is to be read again: texts were cut',
    );
  });

  it('is not changed once it was carried over', () => {
    const db = openEmpty();
    db.exec(
      "INSERT INTO _streams (experiment_id, data, scope, complete, reason, doubts) VALUES ('e', 'chat', 'experiment', 1, 'x', '[]')",
    );
    carryOverReasons(db);
    expect(allPositions(db)).toMatchObject([{ complete: true, doubts: [] }]);
  });
});
