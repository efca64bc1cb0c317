import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';

const write = (onset: number, variable: string, value: unknown, participantId?: string) =>
  ({ roomId: 'r', ...(participantId === undefined ? {} : { participantId }), variable, value, ...at(onset) }) as never;

describe('variable_values', () => {
  it('tells numbers, texts and other values apart, and whose they are', () => {
    const bench = openBench();
    bench.write('variables', write(0, 'condition', 'together'), write(1, 'points', 3, 'ana'), write(2, 'seen', [1, 2]));
    expect(
      bench.rows(
        'variable_values',
        'owner',
        'participant_id',
        'value_type',
        'value_number',
        'value_text',
        'value_json',
      ),
    ).toEqual([
      {
        owner: 'room',
        participant_id: null,
        value_type: 'text',
        value_number: null,
        value_text: 'together',
        value_json: null,
      },
      {
        owner: 'participant',
        participant_id: 'ana',
        value_type: 'integer',
        value_number: 3,
        value_text: null,
        value_json: null,
      },
      {
        owner: 'room',
        participant_id: null,
        value_type: 'list',
        value_number: null,
        value_text: null,
        value_json: '[1,2]',
      },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it("numbers the writes of each owner's variable, and has the owner's state after each", () => {
    const bench = openBench();
    bench.write(
      'variables',
      write(0, 'points', 1, 'ana'),
      write(1, 'points', 9),
      write(2, 'points', 2, 'ana'),
      write(3, 'done', true, 'ana'),
    );
    expect(bench.rows('variable_values', 'write_number', 'is_last', 'state')).toEqual([
      { write_number: 1, is_last: 0, state: '{"points":1}' },
      { write_number: 1, is_last: 1, state: '{"points":9}' },
      { write_number: 2, is_last: 1, state: '{"points":2}' },
      { write_number: 1, is_last: 1, state: '{"points":2,"done":true}' },
    ]);
  });

  it('leaves out a state that is so long that the writes would fill the disk with it', () => {
    const bench = openBench();
    const long = 'x'.repeat(3000);
    bench.write(
      'variables',
      write(0, 'list', long),
      write(1, 'points', 1),
      write(2, 'list', null),
      write(3, 'points', 2),
    );
    expect(bench.rows('variable_values', 'state').map(({ state }) => state)).toEqual([
      null,
      null,
      '{"list":null,"points":1}',
      '{"list":null,"points":2}',
    ]);
  });

  it('keeps a variable that is called like a member of every object', () => {
    const bench = openBench();
    bench.write('variables', write(0, '__proto__', 1), write(1, 'constructor', 2));
    expect(bench.rows('variable_values', 'variable', 'state').at(1)).toEqual({
      variable: 'constructor',
      state: '{"__proto__":1,"constructor":2}',
    });
  });
});
