import { describe, expect, it } from 'vitest';
import { at, openBench, type Bench } from '../../support/derived.ts';

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

  describe('of a component that several states show', () => {
    const config = (question: string, max: number) => ({ question, min: 0, max });
    const states = [
      { id: 's1', name: 'Before', focusComponent: { id: 'mood', type: 'vas', config: config('And before?', 10) } },
      { id: 's2', name: 'After', focusComponent: { id: 'mood', type: 'vas', config: config('And after?', 100) } },
    ];
    const rows = (bench: Bench) =>
      bench.rows('answers ORDER BY onset', 'state_id', 'question', 'scale_max', 'attempt', 'is_last');
    const answered = [
      response('a', 1000, { componentId: 'mood', stateId: 's1', response: { value: 3 } }),
      response('b', 2000, { componentId: 'mood', stateId: 's2', response: { value: 4 } }),
      response('c', 3000, { componentId: 'mood', stateId: 's2', response: { value: 5 } }),
      response('d', 4000, { componentId: 'mood', response: { value: 6 } }),
    ];
    const expected = [
      { state_id: 's1', question: 'And before?', scale_max: 10, attempt: 1, is_last: 1 },
      { state_id: 's2', question: 'And after?', scale_max: 100, attempt: 1, is_last: 0 },
      { state_id: 's2', question: 'And after?', scale_max: 100, attempt: 2, is_last: 1 },
      { state_id: null, question: null, scale_max: null, attempt: 1, is_last: 1 },
    ];

    it('takes the question of the state in which it was answered, and none where that is not known', () => {
      const bench = openBench();
      bench.write('experiment-configs', { name: 'x', states });
      bench.write('events', ...answered);
      expect(rows(bench)).toEqual(expected);
      expect(bench.wrong()).toEqual([]);
    });

    it('takes it from the settings that were shown there, too', () => {
      const bench = openBench();
      const shown = (id: string, question: string, max: number) =>
        ({ ...ANA, ...at(1000), stateId: id, componentId: 'mood', config: config(question, max) }) as never;
      bench.write('components', shown('s1', 'And before?', 10), shown('s2', 'And after?', 100));
      bench.write('events', ...answered);
      const words = expected.map(({ question, scale_max }) => ({ question, scale_max }));
      expect(bench.rows('answers ORDER BY onset', 'question', 'scale_max')).toEqual(words);
    });

    it('has a column for each in the table with a row a person', () => {
      const bench = openBench();
      bench.write('experiment-configs', { name: 'x', states });
      bench.write('participants', { id: 'ana', roomId: 'r' });
      bench.write('events', ...answered);
      expect(bench.rows('wide_x', 'mood_s1', 'mood_s2', 'mood')).toEqual([{ mood_s1: 3, mood_s2: 5, mood: 6 }]);
      const meaning = "_data_dictionary WHERE table_name = 'wide_x' AND column_name LIKE 'mood%' ORDER BY column_name";
      expect(bench.rows(meaning, 'column_name', 'meaning').map(Object.values)).toEqual([
        ['mood', 'The last answer (component mood).'],
        ['mood_s1', 'The last answer to And before? (component mood, state s1).'],
        ['mood_s2', 'The last answer to And after? (component mood, state s2).'],
      ]);
      expect(bench.wrong()).toEqual([]);
    });
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
