import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { NothingNew, openNovelty } from '../../../src/read/novelty.ts';
import type { Page } from '../../../src/read/page.ts';

const STREAM = { experimentId: 'e', dataset: datasetNamed('events'), scope: { kind: 'experiment' } } as const;

/** An answer with the events of these ids and malformed records of these texts. */
function page(ids: readonly string[], texts: readonly string[] = []): Page {
  const rows = ids.map((id) => {
    const made = normalise(STREAM.dataset, { id }, { experimentId: 'e' });
    if ('reason' in made) throw new Error(made.reason);
    return made;
  });
  const bad = texts.map((text) => ({ reason: 'it is a number', text }));
  return { rows, bad } as unknown as Page;
}

/** How many answers with nothing new a session bears, after it has met some. */
function borne({ held = 0, rooms = 0, fruitful = 1 } = {}): number {
  const novelty = openNovelty(STREAM, () => held);
  for (let n = 0; n < rooms; n++) novelty.addRoom();
  for (let n = 0; n < fruitful; n++) novelty.note(page([`a${n}`]));
  for (let answers = 0; answers < 10_000; answers++) {
    try {
      novelty.check();
    } catch (error) {
      expect(error).toBeInstanceOf(NothingNew);
      expect(error).toMatchObject({
        code: 'ANSWER_UNREADABLE',
        doubt: { kind: 'endless', text: expect.stringContaining(` of ${answers + fruitful} answers`) as string },
      });
      return answers;
    }
    novelty.note(page(fruitful === 0 ? [] : ['a0']));
  }
  return Infinity;
}

describe('a reading in which answers bring nothing new', () => {
  it('ends before a request, and says how many answers brought nothing', () => {
    expect(borne({ fruitful: 0 })).toBe(40);
  });

  it('may be longer the more pages brought something, are held, or rooms are read', () => {
    expect([borne(), borne({ fruitful: 2 }), borne({ held: 3 }), borne({ rooms: 5 })]).toEqual([55, 70, 100, 85]);
  });

  it('is not ended by answers each of which has one record that no other had', () => {
    const novelty = openNovelty(STREAM, () => 0);
    for (let n = 0; n < 500; n++) {
      novelty.check();
      novelty.note(page(['a', 'b', `c${n}`]));
    }
  });

  it('counts a malformed record as something new once', () => {
    const novelty = openNovelty(STREAM, () => 0);
    for (let n = 0; n < 55; n++) novelty.note(page([], ['7']));
    expect(() => novelty.check()).not.toThrow();
    novelty.note(page([], ['7']));
    expect(() => novelty.check()).toThrow('55 of 56 answers brought nothing new');
  });

  it('keeps a limited number of records, behind which what was not met before still counts as new', () => {
    const novelty = openNovelty(STREAM, () => 0);
    const many = page(Array.from({ length: 50_000 }, (_, n) => `m${n}`));
    novelty.note(many);
    const again = page(['late']);
    for (let n = 0; n < 1000; n++) {
      novelty.check();
      novelty.note(again);
    }
    for (let n = 0; n < 16_000; n++) novelty.note(page(['m1']));
    expect(() => novelty.check()).toThrow('brought nothing new');
  });
});
