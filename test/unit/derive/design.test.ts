import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json.ts';
import { openBench } from '../../support/derived.ts';

describe('design', () => {
  it('has the components of the states in their order, then the global ones and the final questions', () => {
    const bench = openBench();
    const shows = (type: string, config: JsonObject, id?: string): JsonObject => ({
      ...(id === undefined ? {} : { id }),
      type,
      config,
    });
    bench.write('experiment-configs', {
      name: 'x',
      states: [
        {
          id: 'b',
          name: 'Rate',
          order: 1,
          focusComponent: shows('likertscale', { question: 'Good?', scalePoints: 5 }, 'l'),
        },
        { id: 'a', name: 'Film', order: 0, focusComponent: shows('showvideo', { videoId: 'f', durationMs: 90_000 }) },
        { id: 'c', name: 'Wait', order: 2, transitionRules: { type: 'timed', durationMs: 5000 } },
      ],
      globalComponents: { continuousrating: { min: 0, max: 100 } },
      postExperimentQuestionnaire: { enabled: true, questions: [{ id: 'q1', text: 'Age?' }] },
    });
    expect(
      bench.rows(
        'design',
        'position',
        'part',
        'state_id',
        'component_type',
        'question_id',
        'question',
        'scale_max',
        'medium',
        'duration',
      ),
    ).toMatchObject([
      { position: 1, part: 'state', state_id: 'a', component_type: 'showvideo', medium: 'f', duration: 90_000 },
      { position: 2, part: 'state', state_id: 'b', component_type: 'likertscale', question: 'Good?', scale_max: 5 },
      { position: 3, part: 'state', state_id: 'c', component_type: null, duration: 5000 },
      { position: 4, part: 'global', state_id: null, component_type: 'continuousrating', scale_max: 100 },
      { position: 5, part: 'questionnaire', question_id: 'q1', question: 'Age?' },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('follows a change of the configuration', () => {
    const bench = openBench();
    const state = (id: string) => ({ id });
    bench.write('experiment-configs', { name: 'x', states: [state('a'), state('b')] });
    bench.write('experiment-configs', { name: 'x', states: [state('b')] });
    expect(bench.rows('design', 'position', 'state_id')).toEqual([{ position: 1, state_id: 'b' }]);
  });

  it.each([
    ['states that are no list', { states: 'none' }],
    ['a state that is a text', { states: ['a'] }],
    ['settings that are a list', { states: [{ id: 'a', focusComponent: { config: [] } }] }],
    ['no states', {}],
  ])('survives %s', (_, config) => {
    const bench = openBench();
    bench.write('experiment-configs', { name: 'x', ...config });
    expect(bench.wrong()).toEqual([]);
  });

  it('has each label of a question once, although the question is planned several times', () => {
    const bench = openBench();
    const state = (id: string, options: string[]) => ({ id, focusComponent: { id: 'c', config: { options } } });
    bench.write('experiment-configs', {
      name: 'x',
      states: [state('a', ['tea', 'coffee', 'milk']), state('b', ['coffee', 'water'])],
    });
    expect(bench.rows("_values WHERE question_id = 'c'", 'position', 'value_text')).toEqual([
      { position: 1, value_text: 'tea' },
      { position: 2, value_text: 'coffee' },
      { position: 3, value_text: 'milk' },
      { position: 4, value_text: 'water' },
    ]);
  });
});
