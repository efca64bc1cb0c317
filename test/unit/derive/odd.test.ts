import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import { at, openBench } from '../../support/derived.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsw-odd-'));
const shared = openBench(join(folder, 'w.db'));
afterAll(() => {
  shared.warehouse.close();
  rmSync(folder, { recursive: true });
});

const ANA = { roomId: 'r', participantId: 'ana' };
const response = (id: string, more: JsonObject, onset = 0): JsonObject => ({
  id,
  ...ANA,
  ...at(onset),
  eventType: 'component.response',
  category: 'component',
  ...more,
});
const asked = (id: string, value: Json, onset = 0): JsonObject => ({
  id,
  ...ANA,
  ...at(onset),
  category: 'questionnaire',
  value,
});

describe('odd answers', () => {
  it.each<[string, Json, string, unknown]>([
    ['a number', 5, 'value_number', 5],
    ['a text', 'often', 'value_text', 'often'],
    ['an empty text', '', 'value_text', ''],
    ['a list', ['a', 'b'], 'value_json', '["a","b"]'],
    ['an empty list', [], 'value_json', '[]'],
    ['false', false, 'value_number', 0],
    ['an object', { x: { y: [] } }, 'value_json', '{"x":{"y":[]}}'],
    ['a number of more digits than a double has', '12345678901234567', 'value_text', '12345678901234567'],
  ])('are read where %s stands for the whole response', (kind, sent, column, held) => {
    const bench = openBench(shared.warehouse, kind);
    bench.write('events', response('a', { componentId: 'c', response: sent }));
    bench.write('events', asked('b', { questionId: 'q', answer: sent }, 1));
    bench.write('events', asked('c', sent, 2));
    const rows = bench.rows(`answers WHERE experiment_id = '${kind}'`, column);
    expect(rows).toEqual([{ [column]: held }, { [column]: held }, { [column]: held }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('are none where there is only an explicit null', () => {
    const bench = openBench();
    bench.write('events', { ...asked('a', null), response: null });
    expect(bench.rows('answers')).toEqual([]);
  });

  it('belong to questions whose ids are numbers', () => {
    const bench = openBench();
    const shared = { componentId: 'survey' };
    bench.write('experiment-configs', {
      name: 'x',
      postExperimentQuestionnaire: { questions: [{ id: 7, text: 'Seven?', min: 0, max: 3 }] },
    });
    bench.write(
      'events',
      { ...asked('a', { questionId: 7, answer: 1 }), ...shared },
      { ...asked('b', { questionId: 8, answer: 2 }, 1), ...shared },
    );
    expect(bench.rows('answers', 'question_id', 'question', 'scale_max', 'attempt', 'is_last')).toEqual([
      { question_id: '7', question: 'Seven?', scale_max: 3, attempt: 1, is_last: 1 },
      { question_id: '8', question: null, scale_max: null, attempt: 1, is_last: 1 },
    ]);
  });

  it('belong to questions without ids by what these ask', () => {
    const bench = openBench();
    const shared = { componentId: 'survey' };
    bench.write('participants', { id: 'ana', roomId: 'r' });
    bench.write(
      'events',
      { ...asked('a', { questionText: 'Age?', answer: 30 }), ...shared },
      { ...asked('b', { questionText: 'Name?', answer: 'Ana' }, 1), ...shared },
    );
    expect(bench.rows('answers', 'question_id', 'attempt', 'is_last')).toEqual([
      { question_id: 'Age?', attempt: 1, is_last: 1 },
      { question_id: 'Name?', attempt: 1, is_last: 1 },
    ]);
    expect(bench.rows('wide_e', 'age', 'name')).toEqual([{ age: 30, name: 'Ana' }]);
  });

  it('of a rating between two pauses do not stop the sync', () => {
    const bench = openBench();
    const rating = (ratingId: string, sampleIndex: number) => ({
      ratingId,
      ...ANA,
      ...at(0),
      value: 1,
      componentId: 'c',
      metadata: { sampleIndex },
    });
    bench.write('ratings/sparse', rating('1', 0.5), rating('2', 1e300), rating('3', 2));
    expect(bench.rows('answers ORDER BY sample', 'sample')).toEqual([
      { sample: 0.5 },
      { sample: 2 },
      { sample: 1e300 },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('without an onset are in the order of their times', () => {
    const bench = openBench();
    const later = { ...response('late', { componentId: 'c', response: { value: 3 } }, 3000), onset: null };
    bench.write(
      'events',
      response('a', { componentId: 'c', response: { value: 1 } }, 1000),
      later,
      response('b', { componentId: 'c', response: { value: 2 } }, 2000),
    );
    expect(bench.rows('answers ORDER BY timestamp', 'value_number', 'attempt', 'is_last')).toEqual([
      { value_number: 1, attempt: 1, is_last: 0 },
      { value_number: 2, attempt: 2, is_last: 0 },
      { value_number: 3, attempt: 3, is_last: 1 },
    ]);
  });
});

describe('odd names', () => {
  it.each([
    ['rowid', 'rowid_2'],
    ['OID', 'oid_2'],
    ['order', 'q_order'],
    ['', 'question'],
    ['2nd', 'x2nd'],
    ['a "quoted" name; DROP TABLE people', 'a_quoted_name_drop_table_people'],
  ])('as %j become columns that need no quotes', (question, column) => {
    const bench = openBench(shared.warehouse, column);
    bench.write('participants', { id: 'ana', roomId: 'r' });
    bench.write('events', asked('a', { questionId: question, answer: 4 }));
    expect(bench.rows(`wide_${column}`, column)).toEqual([{ [column]: 4 }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('of fields of the API get a column, although every table has a row number of that name', () => {
    const record = { id: '1', ...at(0), rowid: 'x', OID: 'y', _rowid_: 'z' };
    shared.write('chat', record);
    expect(shared.rows('chat_all', 'rowid_2', 'oid_2', '_rowid__2')).toEqual([
      { rowid_2: 'x', oid_2: 'y', _rowid__2: 'z' },
    ]);
  });

  it('of experiments do not take those of indexes', () => {
    for (const name of ['x', 'x by room', 'x']) {
      const bench = openBench(shared.warehouse, `the ${shared.rows('experiments').length}th`);
      bench.write('experiments', { id: name, name });
      bench.write('participants', { id: 'ana', roomId: 'r' });
    }
    expect(shared.rows("_wide_columns WHERE experiment_id LIKE 'the %' AND form = 'table'", 'column_name')).toEqual([
      { column_name: 'wide_x' },
      { column_name: 'wide_x_by_room' },
      { column_name: 'wide_x_2' },
    ]);
  });
});
