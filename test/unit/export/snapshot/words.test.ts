import { describe, expect, it } from 'vitest';
import { replacerOf } from '../../../../src/export/snapshot/deidentify/words.ts';

const replace = (words: readonly string[]) => replacerOf(words, (word) => `<${words.indexOf(word)}>`);

describe('known words in texts', () => {
  it('are replaced in sentences, in JSON, in names and in addresses', () => {
    const scrub = replace(['user_abc123', 'Ana "A" Kowalska', 'ana@example.org']);
    expect(scrub('user_abc123')).toBe('<0>');
    expect(scrub('rating_of_user_abc123_2')).toBe('rating_of_<0>_2');
    expect(scrub('{"user_abc123":"Ana \\"A\\" Kowalska"}')).toBe('{"<0>":"<1>"}');
    expect(scrub('I am Ana "A" Kowalska.')).toBe('I am <1>.');
    expect(scrub('?m=ana%40example.org&x')).toBe('?m=<2>&x');
  });

  it('are the longest that are there', () => {
    expect(replace(['participant-1', 'participant-12'])('participant-12 participant-1')).toBe('<1> <0>');
  });

  it('are replaced by themselves only where they are short, and as the whole text only where they are numbers', () => {
    const scrub = replace(['p1', '17', 'x']);
    expect(scrub('p1 and p12, "p1", sp1, p1_a')).toBe('<0> and p12, "<0>", sp1, <0>_a');
    expect(scrub('17')).toBe('<1>');
    expect(scrub('{"n":17}')).toBe('{"n":17}');
    expect(scrub('x')).toBe('<2>');
    expect(scrub('x marks')).toBe('x marks');
  });

  it('are found by whatever they begin with', () => {
    const scrub = replace(['(odd) id', 'ä🎓-1', '\ud800half']);
    expect(scrub('see (odd) id!')).toBe('see <0>!');
    expect(scrub('ä🎓-1')).toBe('<1>');
    expect(scrub('nothing')).toBe('nothing');
  });
});
