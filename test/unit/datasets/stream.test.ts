import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partIn, placeText, scopeText, type Scope, type Stream } from '../../../src/datasets/stream.ts';

type Part = Pick<Stream, 'scope' | 'filter'>;

const id = fc.stringMatching(/^[A-Za-z0-9_:.-]{1,12}$/);
const email = fc.stringMatching(/^[a-z]{1,5}@[a-z]{1,5}\.org$/);
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'experiment' }),
  fc.record({ kind: fc.constantFrom<'room' | 'deployment'>('room', 'deployment'), id }),
  fc.record({ kind: fc.constant<'participant'>('participant'), id: fc.oneof(id, email), room: id }),
);
const filter = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[a-z_=]{1,8}$/), { maxKeys: 3 });

describe('a part of an experiment', () => {
  it("is the same after it was written as text and parsed, even if a participant's id is an email address", () => {
    fc.assert(
      fc.property(scope, filter, (part, only) => {
        const written: Part = { scope: part, filter: only };
        expect(partIn(scopeText(written))).toEqual(written);
      }),
    );
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
