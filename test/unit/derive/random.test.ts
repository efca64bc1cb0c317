import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isObject, type Json } from '../../../src/shared/json.ts';
import { at, openBench } from '../../support/derived.ts';

type Fields = Readonly<Record<string, fc.Arbitrary<Json | undefined>>>;

const few = <T extends Json | undefined>(...values: readonly T[]) => fc.constantFrom(...values);
const id = few('0', '1', '2', '3', '4', '5');
const time = fc.option(few(0, 1000, 1000, 5000, -10).map(at), { nil: undefined, freq: 9 });
/** Ids that are unique only within a room, and what belongs to no room or to no one. */
const place = { roomId: few('r', 's', null), participantId: few('ana', 'bo', 'Ana', '', null) };
const odd = few<Json>(1, '1', 2.5, true, null, '', 'x\0y', [1], [], {}, '😀', { value: { a: 1 } }, { value: 'no' });
const asked = few<Json>({ answer: 3, questionId: 'q' }, { answer: null, questionId: 7 }, { answer: [], question: '' });
const vas = { id: 'c', type: 'vas', config: { question: 'Why?', min: 0, max: 5, options: ['a', 'b'] } };

const RECORDS: Readonly<Record<string, Fields>> = {
  events: {
    ...{ id, ...place, time, content: few('text', null), value: fc.oneof(odd, asked), response: odd },
    category: few('component', 'questionnaire', 'post_experiment', 'pre_experiment', null),
    eventType: few('component.response', 'state.enter', 'state.exit', 'component.view', null),
    componentId: few('c', 'd', undefined),
    stateId: few('s1', 's2', null),
  },
  'ratings/sparse': {
    ...{ ratingId: id, ...place, time, value: odd, componentId: few('c', undefined), stateId: few('s1', null) },
    metadata: few<Json>({ sampleIndex: 0 }, { sampleIndex: 0.5, question: 'Why?' }, null),
  },
  'ratings/continuous': { ratingId: id, ...place, time, value: few(1, null) },
  chat: { id, roomId: place.roomId, senderId: place.participantId, time },
  components: { ...place, time, componentId: few('c', 'd'), config: few<Json>({ question: 'How?' }, { max: 9 }, null) },
  variables: { ...place, time, variable: few('group', 'Group', 'order', '', '__proto__'), value: odd },
  participants: {
    ...{ id: place.participantId, roomId: place.roomId, joinedAt: few(at(0).timestamp, at(999).timestamp, null) },
    completedAt: few(at(4000).timestamp, null),
  },
  rooms: {
    ...{ id: few('r', 's', 'empty'), deploymentId: few('d', null), status: few('active', 'completed') },
    ...{ createdAt: few(at(0).timestamp, at(7).timestamp, null), endedAt: few(at(8000).timestamp, null) },
  },
  'deployment-sessions': { id: few('r', 's'), status: few('active', 'completed'), deploymentId: few('d', null) },
  deployments: { id: few('d'), name: few('Pilot', 'Main') },
  experiments: { id: few('e'), name: few('Trust', 'order', null) },
  'experiment-configs': {
    name: few('x'),
    states: few<Json>(
      [],
      [
        { id: 's1', focusComponent: vas },
        { id: 's2', focusComponent: vas },
      ],
      null,
    ),
  },
};

function recordOf(fields: Fields): fc.Arbitrary<Json> {
  return fc.record(fields).map(({ time: moment, ...record }) => {
    const sent = Object.entries({ ...record, ...(moment !== undefined && isObject(moment) ? moment : {}) });
    return Object.fromEntries(sent.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  });
}

const step = fc.constantFrom(...Object.entries(RECORDS)).chain(([data, fields]) =>
  fc.record({
    data: fc.constant(data),
    how: fc.constantFrom('write', 'write', 'readPage', 'remove'),
    records: fc.array(recordOf(fields), { minLength: 1, maxLength: 4 }),
  }),
);

it('the derived tables are those that follow from the mirrored ones, after any writes and deletions', () => {
  const first = openBench(undefined, 'e', { ratingsGrid: 250 });
  let experiments = 0;
  const property = fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
    const bench = openBench(first.warehouse, `e${++experiments}`);
    for (const { data, how, records } of steps) bench[how](data, ...records);
    expect(bench.wrong()).toEqual([]);
  });
  fc.assert(property, { numRuns: 15, seed: 1 });
});
