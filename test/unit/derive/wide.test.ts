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
    ).toEqual([{ meaning: 'The last answer (component 年齢).' }]);
  });

  it('tells a question before from the same one after, and what was rated of which stimulus', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'));
    const mood = (id: string, componentId: string, answered: number, onset: number) =>
      ({
        ...(answer(id, 'ana', componentId, 0, onset) as object),
        category: 'questionnaire',
        value: { questionId: 'mood', answer: answered },
      }) as never;
    bench.write('events', mood('1', 'before', 1, 0), mood('2', 'after', 9, 900));
    const rating = (stimulusId: string, dimension: string, value: number, metadata: object = {}) =>
      ({
        ratingId: `${stimulusId} ${dimension} ${value}`,
        roomId: 'r',
        participantId: 'ana',
        ...at(value),
        componentId: 'rate',
        stimulusId,
        value,
        metadata: { dimension, ...metadata },
      }) as never;
    bench.write(
      'ratings/sparse',
      rating('cat', 'valence', 1),
      rating('cat', 'arousal', 2),
      rating('dog', 'valence', 3),
    );
    bench.write(
      'ratings/sparse',
      rating('cat', 'valence', 4, { sampleIndex: 0 }),
      rating('dog', 'valence', 5, { sampleIndex: 0 }),
    );
    expect(bench.rows('wide_trust_emotion')).toEqual([
      {
        experiment_id: 'e',
        room_id: 'r',
        participant_id: 'ana',
        mood: 1,
        mood_after: 9,
        rate_valence_cat: 1,
        rate_arousal_cat: 2,
        rate_valence_dog: 3,
        rate_valence_0: 4,
        rate_valence_0_dog: 5,
      },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('quotes a question as the design has it, never as one person was asked', () => {
    const bench = openStudy();
    bench.write('experiment-configs', {
      postExperimentQuestionnaire: { questions: [{ id: 'close', question: 'How close are you to your partner?' }] },
    });
    bench.write('participants', person('ana'));
    const asked = (id: string, questionId: string) =>
      ({
        ...(answer(id, 'ana', 'c', 0) as object),
        category: 'questionnaire',
        value: { questionId, questionText: 'How close are you to Bo?', answer: 3 },
      }) as never;
    bench.write('events', asked('1', 'close'), asked('2', 'other'));
    const meanings = () =>
      bench
        .rows("_data_dictionary WHERE table_name = 'wide_trust_emotion' AND meaning LIKE '%answer%'", 'meaning')
        .map(Object.values);
    const expected = [
      ['The last answer to How close are you to your partner? (questionnaire close, component c).'],
      ['The last answer (questionnaire other, component c).'],
    ];
    expect(meanings()).toEqual(expected);
    bench.warehouse.tendForReaders();
    expect(meanings()).toEqual(expected);
  });

  it('names what has no column, as there are too many', () => {
    const bench = openStudy();
    bench.write('participants', person('ana'));
    bench.write('events', ...Array.from({ length: 1001 }, (_, i) => answer(`${i}`, 'ana', `q${i}`, i, i)));
    bench.warehouse.tendForReaders();
    expect(bench.rows('wide_trust_emotion', 'q0', 'q999')).toEqual([{ q0: 0, q999: 999 }]);
    const leftOut = "_data_dictionary WHERE table_name = 'wide_trust_emotion' AND type = 'none'";
    expect(bench.rows(leftOut, 'column_name', 'missing')).toEqual([
      {
        column_name: 'component q1000 (number)',
        missing: 'There is no column, as there are too many: it is in its own table.',
      },
    ]);
  });

  it('is made again once for all columns that a sync brings, however many, and keeps its rows', () => {
    const bench = openStudy();
    const changes = () => Number(bench.warehouse.db.pragma('schema_version', { simple: true }));
    bench.write('participants', person('ana'), person('bo', 'r2'));
    bench.write('events', answer('1', 'ana', 'first', 1));
    const one = changes();
    bench.write('events', { ...(answer('2', 'bo', 'second', 2) as object), roomId: 'r2' });
    const two = changes();
    bench.write('events', ...Array.from({ length: 300 }, (_, i) => answer(`more ${i}`, 'ana', `q${i}`, i, 10 + i)));
    expect(changes() - two).toBe(two - one);
    expect(bench.rows('wide_trust_emotion ORDER BY room_id', 'first', 'second', 'q299')).toEqual([
      { first: 1, second: null, q299: 299 },
      { first: null, second: 2, q299: null },
    ]);
    expect(bench.wrong()).toEqual([]);
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
