import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { migrate, openEmpty } from '../../../src/warehouse/migrate.ts';
import {
  countQuarantined,
  newestQuarantined,
  quarantine,
  quarantinedAfter,
  quarantinedRecords,
  settleQuarantine,
} from '../../../src/warehouse/quarantine.ts';
import { temporaryFolder } from '../../support/lab.ts';

const CHAT = { experimentId: 'e', dataset: datasetNamed('chat'), scope: { kind: 'experiment' } } as const;
const ROOM = { ...CHAT, scope: { kind: 'room', id: 'r' } } as const;
const [NINE, TEN] = ['2026-01-12T09:00:00.000Z', '2026-01-12T10:00:00.000Z'];
const bad = (text: string) => ({ reason: 'it is a number', text });

describe('the quarantine of a stream', () => {
  it('holds a malformed record as often as an answer has it, and no more often when it comes again', () => {
    const db = openEmpty();
    for (const at of [NINE, TEN]) quarantine(db, CHAT, [bad('1'), bad('1'), bad('2')], at);
    expect(countQuarantined(db, CHAT)).toBe(3);
    expect(quarantinedRecords(db, 'chat').map(({ record, firstSeenAt }) => [record, firstSeenAt])).toEqual(
      expect.arrayContaining([
        ['1', NINE],
        ['1', NINE],
        ['2', NINE],
      ]),
    );
    expect(newestQuarantined(db, CHAT)).toBe(Date.parse(NINE));
  });

  it('counts the records of a room apart from those of the experiment', () => {
    const db = openEmpty();
    quarantine(db, CHAT, [bad('1')], NINE);
    quarantine(db, ROOM, [bad('1'), bad('2')], NINE);
    expect([countQuarantined(db, CHAT), countQuarantined(db, ROOM)]).toEqual([1, 2]);
    settleQuarantine(db, ROOM, Date.parse(TEN));
    expect([countQuarantined(db, CHAT), countQuarantined(db, ROOM)]).toEqual([1, 0]);
  });

  it('keeps what came in the last whole reading, and drops what did not', () => {
    const db = openEmpty();
    quarantine(db, CHAT, [bad('1'), bad('2')], NINE);
    quarantine(db, CHAT, [bad('2')], TEN);
    settleQuarantine(db, CHAT, Date.parse(TEN));
    expect(quarantinedRecords(db, 'chat').map(({ record }) => record)).toEqual(['2']);
  });

  it('finds the records that came after a time, and says which of them have an unclear meaning', () => {
    const db = openEmpty();
    quarantine(db, CHAT, [bad('1')], NINE);
    quarantine(db, CHAT, [{ ...bad('{"id":1,"id":2}'), isUnclear: true }, bad('2')], TEN);
    expect(quarantinedAfter(db, CHAT, Date.parse(NINE)).map(({ record, isUnclear }) => [record, isUnclear])).toEqual(
      expect.arrayContaining([
        ['{"id":1,"id":2}', true],
        ['2', false],
      ]),
    );
    expect(quarantinedAfter(db, CHAT, Date.parse(TEN))).toEqual([]);
  });
});

it('a file in which a sentence said that a record is unclear knows it by a column after the migration', () => {
  const folder = temporaryFolder();
  const before = join(folder, 'migrations');
  cpSync('migrations', before, { recursive: true, filter: (path) => !path.endsWith('whole.sql') });
  const journal = join(before, 'meta', '_journal.json');
  const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: { tag: string }[] };
  const at = entries.findIndex(({ tag }) => tag === '0018_unclear_records');
  writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, at) }));
  const db = new Database(join(folder, 'w.db'));
  migrate(db, before);
  const insert = db.prepare(
    `INSERT INTO _quarantine (experiment_id, data, key, scope, reason, record, first_seen_at)
     VALUES ('e', 'chat', ?, 'experiment', ?, ?, '${TEN}')`,
  );
  insert.run('k1', 'an object in it names a member twice', '{"id":1,"id":2}');
  insert.run('k2', 'it is a number', '7');
  expect(migrate(db)).toContain('0018_unclear_records');
  expect(quarantinedAfter(db, CHAT, 0)).toEqual([
    { isUnclear: true, record: '{"id":1,"id":2}' },
    { isUnclear: false, record: '7' },
  ]);
  db.close();
});
