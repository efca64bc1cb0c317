import { describe, expect, it } from 'vitest';
import { VIEWS } from '../../../src/derive/views.ts';
import { at, openBench } from '../../support/derived.ts';

const before = (id: string, eventType: string, category = 'pre_experiment') => ({
  id,
  participantId: 'ana',
  ...at(-9000),
  eventType,
  category,
});

describe('the views for researchers', () => {
  it('select consent, instructions and comprehension checks by category and the beginning of the type', () => {
    const bench = openBench();
    bench.write(
      'events',
      before('a', 'consent.accepted'),
      before('b', 'instructions.page_view'),
      before('c', 'instructions.comprehension_check'),
      before('d', 'Consent.accepted'),
      before('e', 'consent.accepted', 'component'),
      before('f', 'consented'),
    );
    const types = (view: string) => bench.rows(view, 'event_type').map(({ event_type }) => event_type);
    expect(types('consent')).toEqual(['consent.accepted']);
    expect(types('instructions')).toEqual(['instructions.page_view', 'instructions.comprehension_check']);
    expect(types('comprehension')).toEqual(['instructions.comprehension_check']);
  });

  it('show a room in one line of time', () => {
    const bench = openBench();
    const whose = { roomId: 'r', participantId: 'ana' };
    bench.write('events', { id: 'a', ...whose, ...at(2000), eventType: 'state.enter', content: 'x' });
    bench.write('chat', { messageId: 'm', roomId: 'r', senderId: 'bo', content: 'hi', ...at(1000) });
    bench.write('variables', { ...whose, variable: 'points', value: 3, ...at(3000) });
    bench.write('ratings/sparse', { ratingId: 's', ...whose, ...at(4000), value: 7 });
    bench.write('recordings', { recordingId: 'v', ...whose, startTime: at(0).timestamp, format: 'mp4', duration: 90 });
    expect(
      bench.rows(
        'session_timeline ORDER BY timestamp',
        'table_name',
        'participant_id',
        'what',
        'text_value',
        'number_value',
      ),
    ).toEqual([
      { table_name: 'recordings', participant_id: 'ana', what: 'recording', text_value: 'mp4', number_value: 90 },
      { table_name: 'chat', participant_id: 'bo', what: 'message', text_value: 'hi', number_value: null },
      { table_name: 'events', participant_id: 'ana', what: 'state.enter', text_value: 'x', number_value: null },
      { table_name: 'variable_values', participant_id: 'ana', what: 'points', text_value: null, number_value: 3 },
      { table_name: 'ratings_sparse', participant_id: 'ana', what: 'rating', text_value: null, number_value: 7 },
    ]);
  });

  it('compute nothing, as other engines would compute otherwise', () => {
    for (const { name, sql } of VIEWS) expect(sql, name).not.toMatch(/\/|->|json|coalesce|typeof|case |round|cast/i);
  });
});
