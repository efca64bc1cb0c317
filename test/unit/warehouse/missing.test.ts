import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { scopeText } from '../../../src/datasets/stream.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
import { clearMissing, clearUnheld, countMissing, markMissing, missingSince } from '../../../src/warehouse/missing.ts';
import { markVerified, verifiedRooms } from '../../../src/warehouse/verified-rooms.ts';

const CHAT = { experimentId: 'e', dataset: datasetNamed('chat'), scope: { kind: 'experiment' } } as const;
const ROOM = { ...CHAT, scope: { kind: 'room', id: 'r' } } as const;
const [NINE, TEN] = [Date.parse('2026-01-12T09:00:00.000Z'), Date.parse('2026-01-12T10:00:00.000Z')];

/** A warehouse in which the streams above have missing rows. */
function open() {
  const db = openEmpty();
  const enrol = db.prepare(
    "INSERT INTO _streams (experiment_id, data, scope, missing_rows) VALUES ('e', 'chat', ?, 9)",
  );
  for (const stream of [CHAT, ROOM]) enrol.run(scopeText(stream));
  return db;
}

describe('the rows that a stream misses', () => {
  it('are missing since the first reading that did not find them, however often that happens again', () => {
    const db = open();
    expect(markMissing(db, CHAT, ['k1', 'k2'], NINE)).toBe(2);
    expect(markMissing(db, CHAT, ['k2', 'k3'], TEN)).toBe(1);
    expect([...missingSince(db, CHAT)].sort()).toEqual([
      ['k1', NINE],
      ['k2', NINE],
      ['k3', TEN],
    ]);
    const last = db.prepare('SELECT last_missed_at FROM _missing_rows ORDER BY key').pluck().all();
    expect(last.map((time) => Date.parse(String(time)))).toEqual([NINE, TEN, TEN]);
  });

  it('are those of one stream, also where another one shares its rows', () => {
    const db = open();
    markMissing(db, ROOM, ['k1'], NINE);
    expect([countMissing(db, CHAT), countMissing(db, ROOM)]).toEqual([0, 1]);
  });

  it('are missing in no stream once they come again', () => {
    const db = open();
    for (const stream of [CHAT, ROOM]) markMissing(db, stream, ['k1', 'k2'], NINE);
    clearMissing(db, CHAT, ['k1']);
    expect([[...missingSince(db, CHAT).keys()], [...missingSince(db, ROOM).keys()]]).toEqual([['k2'], ['k2']]);
    clearMissing(db, CHAT, []);
    expect(countMissing(db, CHAT)).toBe(1);
  });

  it('are forgotten if they are not held any more', () => {
    const db = open();
    db.prepare(
      "INSERT INTO chat (experiment_id, key, first_seen_at, synced_at) VALUES ('e', 'k1', 'x', 'x'), ('other', 'k2', 'x', 'x')",
    ).run();
    markMissing(db, CHAT, ['k1', 'k2'], NINE);
    clearUnheld(db, CHAT);
    expect([...missingSince(db, CHAT).keys()]).toEqual(['k1']);
  });
});

it('a room that was read whole is so for its data type and experiment only', () => {
  const db = open();
  for (const time of [NINE, TEN]) markVerified(db, CHAT, 'r', time);
  expect([...verifiedRooms(db, CHAT)]).toEqual(['r']);
  expect(verifiedRooms(db, { ...CHAT, experimentId: 'other' }).size).toBe(0);
  expect(verifiedRooms(db, { ...CHAT, dataset: datasetNamed('events') }).size).toBe(0);
});
