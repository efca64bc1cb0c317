import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { derivedWith } from '../../../src/derive/registry.ts';
import { rebuild } from '../../../src/derive/rebuild.ts';
import { at, openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

const answer = {
  id: 'a',
  roomId: 'r',
  participantId: 'p',
  ...at(0),
  eventType: 'component.response',
  response: { value: 1 },
};

const TABLES = derivedWith(250);

describe('the derived tables', () => {
  it('are STRICT, and each column is in the dictionary', () => {
    const bench = openBench(undefined, 'e', { ratingsGrid: 250 });
    const explained = bench
      .rows('_data_dictionary', "table_name || '.' || column_name AS name")
      .map(({ name }) => name);
    for (const { name, columns } of TABLES) {
      expect(explained).toEqual(expect.arrayContaining(Object.keys(columns).map((column) => `${name}.${column}`)));
    }
    const strict = bench.rows(
      `pragma_table_list WHERE name IN (${TABLES.map(({ name }) => `'${name}'`).join()})`,
      'strict',
    );
    expect(strict).toEqual(TABLES.map(() => ({ strict: 1 })));
  });

  it('have a unit for each number', () => {
    const without = TABLES.flatMap(({ name, columns }) =>
      Object.entries(columns)
        .filter(([, { type, unit, isBoolean }]) => type !== 'TEXT' && unit === undefined && isBoolean !== true)
        .map(([column]) => `${name}.${column}`),
    );
    expect(without).toEqual([]);
  });

  it('have a number beside each time', () => {
    const without = TABLES.flatMap(({ name, columns }) =>
      Object.entries(columns)
        .filter(([, { unit }]) => unit === 'ISO 8601, UTC')
        .filter(([column]) => !(`${column.replace(/_at$/, '')}_unix` in columns))
        .map(([column]) => `${name}.${column}`),
    );
    expect(without).toEqual([]);
  });

  it('are made again where their declaration differs, and filled', () => {
    const path = join(temporaryFolder(), 'w.db');
    const bench = openBench(path);
    bench.write('events', answer);
    const declared = bench.rows("sqlite_schema WHERE name = 'answers'", 'sql');
    bench.warehouse.db.exec('DROP TABLE answers; CREATE TABLE answers (experiment_id TEXT, room_id TEXT) STRICT');
    bench.warehouse.close();
    const again = openBench(path);
    expect(again.rows("sqlite_schema WHERE name = 'answers'", 'sql')).toEqual(declared);
    expect(again.rows('answers', 'value_number')).toEqual([{ value_number: 1 }]);
  });

  it('are filled where an earlier version has written the file', () => {
    const path = join(temporaryFolder(), 'w.db');
    const bench = openBench(path);
    bench.write('events', answer);
    bench.warehouse.close();
    const db = new Database(path);
    db.exec(
      "DELETE FROM answers; DELETE FROM people; DELETE FROM _people_counts; DELETE FROM _state WHERE name = 'derived'",
    );
    db.close();
    const again = openBench(path);
    expect(
      [again.rows('answers'), again.rows('people'), again.rows('_people_counts')].map(({ length }) => length),
    ).toEqual([1, 1, 1]);
    expect(again.wrong()).toEqual([]);
  });

  it('are compared with what they follow from, and computed again where they differ', () => {
    const bench = openBench();
    bench.write('events', answer);
    const { db } = bench.warehouse;
    db.exec(
      "UPDATE answers SET value_number = 2; DELETE FROM people; INSERT INTO stages (experiment_id, room_id) VALUES ('e', 'x')",
    );
    expect(bench.wrong()).toEqual([
      { table: 'people', rows: 3 },
      { table: 'answers', rows: 1 },
      { table: 'stages', rows: 1 },
    ]);
    db.transaction(() => rebuild(db))();
    expect(bench.wrong()).toEqual([]);
    expect(bench.rows('answers', 'value_number')).toEqual([{ value_number: 1 }]);
  });

  it('follow from counts that are compared too: those that are wrong, missing or of no row', () => {
    const bench = openBench();
    const { db } = bench.warehouse;
    bench.write('events', answer, { ...answer, id: 'b', roomId: null }, { ...answer, id: 'c', participantId: null });
    bench.write('chat', { id: 'm', roomId: 'r', senderId: 'p', ...at(1) });
    const counts = () =>
      bench.rows('_people_counts ORDER BY data, room_id', 'data', 'room_id', 'participant_id', 'rows');
    const right = counts();
    expect(right).toEqual([
      { data: 'chat', room_id: 'r', participant_id: 'p', rows: 1 },
      { data: 'events', room_id: '', participant_id: 'p', rows: 1 },
      { data: 'events', room_id: 'r', participant_id: 'p', rows: 1 },
    ]);
    expect(bench.wrong()).toEqual([]);
    db.exec(`UPDATE _people_counts SET rows = 2 WHERE room_id = '';
      DELETE FROM _people_counts WHERE data = 'chat';
      INSERT INTO _people_counts VALUES ('e', 'p', 'r', 'variables', 1), ('x', 'p', 'r', 'chat', 1)`);
    expect(bench.wrong()).toContainEqual({ table: '_people_counts', rows: 4 });
    db.transaction(() => rebuild(db))();
    expect(counts()).toEqual(right);
  });

  it('are what they were before a transaction that fails', () => {
    const bench = openBench();
    bench.write('events', answer);
    bench.warehouse.db.exec(
      "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.events WHEN NEW.key LIKE '%bad' BEGIN SELECT raise(ABORT, 'refused'); END",
    );
    expect(() => bench.write('events', { ...answer, id: 'b' }, { ...answer, id: 'bad' })).toThrow('refused');
    expect(bench.rows('people', 'n_events')).toEqual([{ n_events: 1 }]);
    bench.write('events', { ...answer, id: 'c' });
    expect(bench.rows('people', 'n_events')).toEqual([{ n_events: 2 }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('are computed again for those only whom a row concerns, as a room may have many events', () => {
    const bench = openBench();
    const { db } = bench.warehouse;
    const event = (id: string, participantId: string | null, eventType: string) =>
      ({ ...answer, id, participantId, eventType, stateId: 's' }) as const;
    bench.write('events', event('1', 'ana', 'state.enter'), event('2', 'bo', 'state.enter'));
    const computedAt = (...records: Parameters<typeof bench.write>[1][]) => {
      db.exec('UPDATE stages SET events = -1');
      bench.write('events', ...records);
      return bench.rows('stages WHERE events >= 0 ORDER BY 1', 'participant_id').map(({ participant_id: id }) => id);
    };
    expect(computedAt(event('3', 'ana', 'media.play'))).toEqual(['ana']);
    expect(computedAt(event('4', null, 'scanner_pulse'))).toEqual([]);
    expect(computedAt(event('5', null, 'state.exit'))).toEqual(['ana', 'bo']);
    expect(computedAt(event('5', null, 'scanner_pulse'))).toEqual(['ana', 'bo']);
    expect(bench.wrong()).toEqual([]);
  });
});
