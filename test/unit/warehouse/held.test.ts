import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differingColumns } from '../../../src/datasets/content.ts';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import { heldIn, heldNames, storedValues } from '../../../src/warehouse/held.ts';

const events = datasetNamed('events');

function stored(record: JsonObject) {
  const row = normalise(events, record, { experimentId: 'e' });
  if ('reason' in row) throw new Error(row.reason);
  const values = storedValues(events, row);
  const named = Object.fromEntries(heldNames(events).map((name, i) => [name, values[i] ?? null]));
  return { row, values, extra: named['extra'], nullFields: named['null_fields'] };
}

describe('a field that was sent as null', () => {
  it.each<[string, JsonObject, string | null, string | null]>([
    ['no field is null', { id: 'a', category: 'component' }, null, null],
    ['declared fields are null', { id: 'a', category: null, onset: null }, null, '["onset","category"]'],
    ['an undeclared field is null', { id: 'a', p1: null }, '{"p1":null}', null],
    ['another field does not fit', { id: 'a', category: null, onset: 'soon' }, '{"onset":"soon"}', '["category"]'],
    ['a member of an object is null', { id: 'a', note: { x: null } }, '{"note":{"x":null}}', null],
    ['a text reads like it', { id: 'a', note: '{"category":null}' }, '{"note":"{\\"category\\":null}"}', null],
  ])('is named apart from extra: %s', (_what, record, extra, nullFields) => {
    const found = stored({ experimentId: 'e', ...record });
    expect([found.extra, found.nullFields]).toEqual([extra, nullFields]);
  });

  it('is in the row that is read back', () => {
    const name = fc.constantFrom('category', 'onset', 'value', 'response', 'roomId', 'timestamp', '$absent', 'x', '1');
    const value: fc.Arbitrary<Json> = fc.oneof(fc.constant(null), fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>);
    fc.assert(
      fc.property(fc.dictionary(name, value), (members) => {
        const { row, values } = stored({ id: 'a', ...members });
        expect(differingColumns(events, row, heldIn(values))).toEqual([]);
        expect(storedValues(events, heldIn(values))).toEqual(values);
      }),
    );
  });
});
