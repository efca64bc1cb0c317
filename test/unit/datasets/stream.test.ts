import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partIn, placeText, scopeText, type Scope, type Stream } from '../../../src/datasets/stream.ts';

type Part = Pick<Stream, 'scope' | 'filter'>;

const id = fc.stringMatching(/^[A-Za-z0-9_:.-]{1,12}$/);
const email = fc.stringMatching(/^[a-z]{1,5}@[a-z]{1,5}\.org$/);
const odd = fc.string({ unit: fc.constantFrom('a', '@', '%', '2', '4', '5', '0', ':'), minLength: 1, maxLength: 8 });
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'experiment' }),
  fc.record({ kind: fc.constantFrom<'room' | 'deployment'>('room', 'deployment'), id }),
  fc.record({ kind: fc.constant<'participant'>('participant'), id: fc.oneof(id, email, odd), room: fc.oneof(id, odd) }),
);
const filter = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[a-z_=]{1,8}$/), { maxKeys: 3 });

describe('a part of an experiment', () => {
  it("is the same after it was written as text and parsed, even if a participant's id is an email address", () => {
    fc.assert(
      fc.property(scope, filter, (part, only) => {
        const written: Part = { scope: part, ...(Object.keys(only).length === 0 ? {} : { filter: only }) };
        expect(partIn(scopeText(written))).toEqual(written);
      }),
    );
  });

  it('is another one for a participant `a@b` in room `c` than for `a` in room `b@c`', () => {
    const texts = [
      { id: 'a@b', room: 'c' },
      { id: 'a', room: 'b@c' },
      { id: 'a', room: 'b%40c' },
      { id: 'a', room: 'b%c' },
    ].map((one) => scopeText({ scope: { kind: 'participant', ...one } }));
    expect(texts).toEqual(['a@b@c', 'a@b%40c', 'a@b%2540c', 'a@b%c'].map((text) => `participant:${text}`));
  });

  it.each<[Part, string]>([
    [{ scope: { kind: 'experiment' } }, ''],
    [{ scope: { kind: 'room', id: 'r1' } }, ', room r1'],
    [{ scope: { kind: 'participant', id: 'p1', room: 'r1' } }, ', participant p1 in room r1'],
    [
      { scope: { kind: 'deployment', id: 'd1' }, filter: { category: 'media' } },
      ', deployment d1, only category media',
    ],
  ])('%j is named in messages', (part, text) => {
    expect(placeText(part)).toBe(text);
  });
});
