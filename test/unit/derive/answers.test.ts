import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';

const ANA = { roomId: 'r', participantId: 'ana' };
const response = (id: string, onset: number, more: object) => ({
  id,
  ...ANA,
  ...at(onset),
  eventType: 'component.response',
  category: 'component',
  ...more,
});

describe('answers', () => {
  it('takes questionnaires under either category', () => {
    const bench = openBench();
    const asked = (id: string, category: string, answer: unknown) =>
      ({
        ...response(id, 1000, {}),
        eventType: 'questionnaire.response',
        category,
        value: { questionId: `q_${id}`, questionText: 'Why?', questionType: 'text', answer, responseTime: 1200 },
      }) as never;
    bench.write('events', asked('a', 'questionnaire', 'because'), asked('b', 'post_experiment', 4));
    expect(
      bench.rows(
        'answers',
        'kind',
        'question_id',
        'question',
        'value_type',
        'value_number',
        'value_text',
        'response_time',
      ),
    ).toEqual([
      {
        kind: 'questionnaire',
        question_id: 'q_a',
        question: 'Why?',
        value_type: 'text',
        value_number: null,
        value_text: 'because',
        response_time: 1200,
      },
      {
        kind: 'questionnaire',
        question_id: 'q_b',
        question: 'Why?',
        value_type: 'integer',
        value_number: 4,
        value_text: null,
        response_time: 1200,
      },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it.each([
    ['a number', 2.5, { value_type: 'number', value_number: 2.5, value_text: null, value_json: null }],
    ['a whole number', 7, { value_type: 'integer', value_number: 7, value_text: null, value_json: null }],
    ['a text', '7', { value_type: 'text', value_number: null, value_text: '7', value_json: null }],
    ['yes or no', true, { value_type: 'boolean', value_number: 1, value_text: null, value_json: null }],
    [
      'several choices',
      ['tea', 2],
      { value_type: 'list', value_number: null, value_text: null, value_json: '["tea",2]' },
    ],
    ['an object', { x: 1 }, { value_type: 'object', value_number: null, value_text: null, value_json: '{"x":1}' }],
    ['no answer', null, { value_type: null, value_number: null, value_text: null, value_json: null }],
    [
      'half a character',
      '\ud800',
      { value_type: 'text', value_number: null, value_text: null, value_json: '"\\ud800"' },
    ],
  ])('gives %s a column of its own', (_, value, columns) => {
    const bench = openBench();
    bench.write('events', response('a', 0, { componentId: 'c', response: { value } }));
    expect(bench.rows('answers', ...Object.keys(columns))).toEqual([columns]);
    expect(bench.wrong()).toEqual([]);
  });

  it('numbers the answers to a question, and marks the last', () => {
    const bench = openBench();
    const answer = (id: string, onset: number, participantId = 'ana') =>
      ({ ...response(id, onset, { componentId: 'c', response: { value: onset } }), participantId }) as never;
    bench.write('events', answer('late', 3000), answer('early', 1000), answer('other', 2000, 'bo'));
    const places = () => bench.rows('answers ORDER BY onset', 'participant_id', 'onset', 'attempt', 'is_last');
    expect(places()).toEqual([
      { participant_id: 'ana', onset: 1000, attempt: 1, is_last: 0 },
      { participant_id: 'bo', onset: 2000, attempt: 1, is_last: 1 },
      { participant_id: 'ana', onset: 3000, attempt: 2, is_last: 1 },
    ]);
    bench.remove('events', answer('late', 3000));
    expect(places().map(({ is_last }) => is_last)).toEqual([1, 1]);
    expect(bench.wrong()).toEqual([]);
  });

  it('takes the question and the scale from the settings of the component', () => {
    const bench = openBench();
    bench.write('events', response('a', 1000, { componentId: 'c', stateId: 's', response: { value: 3 } }));
    const scale = () => bench.rows('answers', 'question', 'scale_min', 'scale_max', 'label_min');
    expect(scale()).toEqual([{ question: null, scale_min: null, scale_max: null, label_min: null }]);
    const config = { question: 'Did you like it?', scalePoints: 7, minLabel: 'no' };
    bench.write('components', { ...ANA, ...at(1000), componentId: 'c', componentType: 'likertscale', config });
    expect(scale()).toEqual([{ question: 'Did you like it?', scale_min: 1, scale_max: 7, label_min: 'no' }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('takes them from the design where no component says them, also if the design comes later', () => {
    const bench = openBench();
    bench.write('events', response('a', 1000, { componentId: 'c', response: { value: 3 } }));
    const config = { question: 'Again?', min: 0, max: 100, labels: { min: 'never', max: 'always' } };
    bench.write('experiment-configs', {
      name: 'x',
      states: [{ id: 's', focusComponent: { id: 'c', type: 'vas', config } }],
    });
    expect(bench.rows('answers', 'question', 'scale_min', 'scale_max', 'label_min', 'label_max')).toEqual([
      { question: 'Again?', scale_min: 0, scale_max: 100, label_min: 'never', label_max: 'always' },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('takes single ratings, each pause of the stimulus for itself', () => {
    const bench = openBench();
    const rating = (id: string, onset: number, sampleIndex: number) => ({
      ratingId: id,
      ...ANA,
      ...at(onset),
      value: 72.5,
      scale: { min: 0, max: 80 },
      responseTime: 2100,
      stimulusId: 'video',
      metadata: { question: 'How engaging?', dimension: 'engagement', componentType: 'vasrating', sampleIndex },
    });
    bench.write('ratings/sparse', rating('1', 8500, 0), rating('2', 25_300, 1));
    expect(bench.rows('answers', 'kind', 'question_id', 'question', 'sample', 'attempt', 'scale_max')).toEqual([
      { kind: 'rating', question_id: 'engagement', question: 'How engaging?', sample: 0, attempt: 1, scale_max: 80 },
      { kind: 'rating', question_id: 'engagement', question: 'How engaging?', sample: 1, attempt: 1, scale_max: 80 },
    ]);
  });

  it('takes the content of a published event that has neither a type nor a response', () => {
    const bench = openBench();
    bench.write('events', {
      id: 'evt_001',
      ...ANA,
      ...at(1500),
      category: 'component',
      componentType: 'TextInput',
      content: 'Hello',
    });
    expect(bench.rows('answers', 'value_type', 'value_text')).toEqual([{ value_type: 'text', value_text: 'Hello' }]);
  });

  it('leaves out consent, and what belongs to no participant', () => {
    const bench = openBench();
    bench.write('events', {
      id: 'a',
      ...ANA,
      ...at(0),
      eventType: 'consent.given',
      category: 'pre_experiment',
      response: { value: true },
    });
    bench.write('events', { ...response('b', 0, { response: { value: 1 } }), participantId: null });
    expect(bench.rows('answers')).toEqual([]);
  });

  it('follows a row that moves to another room', () => {
    const bench = openBench();
    const record = { ...response('a', 0, { componentId: 'c', response: { value: 1 } }) };
    bench.write('events', record);
    bench.warehouse.db.exec("UPDATE events SET room_id = 'r2'");
    // A move by other means than a sync is settled with the next transaction.
    bench.write('events', response('b', 5, { componentId: 'd', response: { value: 2 } }));
    expect(bench.rows('answers ORDER BY onset', 'room_id')).toEqual([{ room_id: 'r2' }, { room_id: 'r' }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('does not take two dimensions, or answers that name no question, for the same question answered again', () => {
    const bench = openBench();
    const rating = (dimension: string, value: number) =>
      ({ ratingId: dimension, ...ANA, ...at(value), componentId: 'c', value, metadata: { dimension } }) as never;
    bench.write('ratings/sparse', rating('valence', 1), rating('arousal', 2));
    const nameless = (id: string, onset: number) =>
      ({ id, ...ANA, ...at(onset), category: 'questionnaire', value: { answer: id } }) as never;
    bench.write('events', nameless('x', 3), nameless('y', 4));
    expect(bench.rows('answers ORDER BY onset', 'question_id', 'dimension', 'attempt', 'is_last')).toEqual([
      { question_id: 'c', dimension: 'valence', attempt: 1, is_last: 1 },
      { question_id: 'c', dimension: 'arousal', attempt: 1, is_last: 1 },
      { question_id: null, dimension: null, attempt: 1, is_last: 1 },
      { question_id: null, dimension: null, attempt: 1, is_last: 1 },
    ]);
    expect(bench.wrong()).toEqual([]);
  });
});
