import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

const person = (id: string, roomId = 'r') => ({ id, roomId, joinedAt: at(0).timestamp });
const answer = (id: string, participantId: string, componentId: string, value: unknown, onset = 0) =>
  ({
    id,
    roomId: 'r',
    participantId,
    ...at(onset),
    eventType: 'component.response',
    category: 'component',
    componentId,
    response: { value },
  }) as never;
const variable = (name: string, value: unknown, participantId?: string, onset = 0) =>
  ({
    roomId: 'r',
    ...(participantId === undefined ? {} : { participantId }),
    variable: name,
    value,
    ...at(onset),
  }) as never;

function openStudy(path?: string) {
  const bench = openBench(path);
  bench.write('experiments', { id: 'e', name: 'Trust & Émotion' });
  return bench;
}

describe('the table with a row a person', () => {
  it('has a column for each question with the last answer', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'), person('bo'));
    bench.write(
      'events',
      answer('1', 'ana', 'liked', 3),
      answer('2', 'ana', 'liked', 5, 10),
      answer('3', 'bo', 'comment', 'fine'),
    );
    expect(bench.rows('wide_trust_emotion ORDER BY participant_id', 'participant_id', 'liked', 'comment')).toEqual([
      { participant_id: 'ana', liked: 5, comment: null },
      { participant_id: 'bo', liked: null, comment: 'fine' },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it("has a person's own variable before that of the room", () => {
    const bench = openStudy();
    bench.write('participants', person('ana'), person('bo'));
    bench.write(
      'variables',
      variable('condition', 'together'),
      variable('condition', 'alone', 'bo'),
      variable('points', 2, 'ana'),
    );
    expect(
      bench.rows('wide_trust_emotion ORDER BY participant_id', 'participant_id', 'var_condition', 'var_points'),
    ).toEqual([
      { participant_id: 'ana', var_condition: 'together', var_points: 2 },
      { participant_id: 'bo', var_condition: 'alone', var_points: null },
    ]);
    bench.write('variables', variable('condition', 'apart', undefined, 50));
    expect(bench.rows('wide_trust_emotion ORDER BY participant_id', 'var_condition').map(Object.values)).toEqual([
      ['apart'],
      ['alone'],
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('gives values of another type a column of their own, and never renames one', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'), person('bo'), person('cy'), person('di'));
    bench.write(
      'events',
      answer('1', 'ana', 'q', 3),
      answer('2', 'bo', 'q', 'three'),
      answer('3', 'cy', 'q', ['a']),
      answer('4', 'di', 'q', true),
    );
    expect(bench.rows('wide_trust_emotion ORDER BY participant_id', 'q', 'q_text', 'q_json', 'q_boolean')).toEqual([
      { q: 3, q_text: null, q_json: null, q_boolean: null },
      { q: null, q_text: 'three', q_json: null, q_boolean: null },
      { q: null, q_text: null, q_json: '["a"]', q_boolean: null },
      { q: null, q_text: null, q_json: null, q_boolean: 1 },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('tells names apart that differ only in case or in signs', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'));
    bench.write(
      'events',
      answer('1', 'ana', 'Liked it?', 1),
      answer('2', 'ana', 'liked-it', 2),
      answer('3', 'ana', 'room_id', 3),
      answer('4', 'ana', '年齢', 4),
    );
    expect(bench.rows('wide_trust_emotion', 'liked_it', 'liked_it_2', 'room_id', 'room_id_2', 'question')).toEqual([
      { liked_it: 1, liked_it_2: 2, room_id: 'r', room_id_2: 3, question: 4 },
    ]);
    expect(
      bench.rows("_data_dictionary WHERE table_name = 'wide_trust_emotion' AND column_name = 'question'", 'meaning'),
    ).toEqual([{ meaning: 'The last answer to 年齢 (component).' }]);
  });

  it('follows people and answers that go, and keeps their columns', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'), person('bo'));
    bench.write('events', answer('1', 'ana', 'q', 3));
    bench.remove('participants', person('bo'));
    bench.remove('events', answer('1', 'ana', 'q', 3));
    expect(bench.rows('wide_trust_emotion', 'participant_id', 'q')).toEqual([{ participant_id: 'ana', q: null }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('keeps its name when the experiment gets another, and is listed', () => {
    const path = join(temporaryFolder(), 'w.db');
    const bench = openStudy(path);
    bench.write('participants', person('ana'));
    bench.write('experiments', { id: 'e', name: 'Trust' });
    bench.warehouse.close();
    const again = openBench(path);
    expect(again.rows("_tables WHERE name LIKE 'wide%'", 'name')).toEqual([{ name: 'wide_trust_emotion' }]);
    expect(again.wrong()).toEqual([]);
  });

  it('is listed at the end of the sync that made it', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'));
    bench.warehouse.tendForReaders();
    expect(bench.rows("_tables WHERE name = 'wide_trust_emotion'", 'data')).toHaveLength(1);
  });

  it('is called by the id of an experiment whose name has no Latin letters', () => {
    const bench = openBench();
    bench.write('experiments', { id: 'e', name: '信頼' });
    bench.write('participants', person('ana'));
    expect(bench.rows('wide_e')).toHaveLength(1);
  });

  it('has what a person answered before a room was assigned in the row of their only room', () => {
    const bench = openStudy();
    const early = { ...(answer('1', 'ana', 'screening', 3, -5000) as object), roomId: null };
    const wide = () => bench.rows('wide_trust_emotion ORDER BY room_id', 'room_id', 'screening');
    bench.write('participants', person('ana'));
    bench.write('events', early);
    expect(wide()).toEqual([{ room_id: 'r', screening: 3 }]);
    bench.write('participants', person('ana', 'r2'));
    expect(wide()).toEqual([
      { room_id: null, screening: 3 },
      { room_id: 'r', screening: null },
      { room_id: 'r2', screening: null },
    ]);
    expect(bench.wrong()).toEqual([]);
    bench.remove('participants', person('ana', 'r2'));
    expect(wide()).toEqual([{ room_id: 'r', screening: 3 }]);
    bench.remove('events', early);
    expect(wide()).toEqual([{ room_id: 'r', screening: null }]);
    expect(bench.wrong()).toEqual([]);
  });
});
