import { describe, expect, it } from 'vitest';
import { idsOf, suggestion } from '../../../src/cli/experiment-names.ts';

const KNOWN = [
  { id: 'exp_1', name: 'Émotions et regard' },
  { id: 'exp_2', name: 'Pilot' },
  { id: 'exp_3', name: 'pilot' },
  { id: 'exp_4', name: 'Twice' },
  { id: 'exp_5', name: 'Twice' },
  { id: 'exp_6' },
  { id: 'exp_7', name: 'exp_6' },
  { id: 'exp_8', name: '' },
];
const found = (...asked: readonly string[]) => idsOf(asked, KNOWN);

describe('an experiment', () => {
  it('is found by its id or its name, once', () => {
    expect(found('exp_2', 'Pilot', 'exp_1')).toEqual({ ids: ['exp_2', 'exp_1'], unknown: [] });
    expect(found()).toEqual({ ids: [], unknown: [] });
  });

  it('is found by its name in another case or encoding, without accents, or with other spaces, where no other has it so', () => {
    const decomposed = 'Émotions et regard'.normalize('NFD');
    expect(found(decomposed, ' émotions  ET regard', 'emotions et regard')).toEqual({ ids: ['exp_1'], unknown: [] });
    const accented = [...KNOWN, { id: 'exp_9', name: 'Emotions et regard' }];
    expect(idsOf(['Émotions et regard', 'Emotions et regard'], accented).ids).toEqual(['exp_1', 'exp_9']);
    expect(() => idsOf(['EMOTIONS et regard'], accented)).toThrow('2 experiments are called');
    expect(found('pilot').ids).toEqual(['exp_3']);
    expect(() => found('PILOT')).toThrow('2 experiments are called PILOT.');
  });

  it('is meant by its id rather than by the name of another', () => {
    expect(found('exp_6').ids).toEqual(['exp_6']);
  });

  it('is refused by a name that two have, with the ids', () => {
    expect(() => found('Twice')).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: 'Name one by its id: exp_4 (Twice), exp_5 (Twice).' }),
    );
  });

  it('that is unknown is returned, and one without a name is not meant by an empty text', () => {
    expect(found('exp_9', 'Pilot')).toEqual({ ids: ['exp_2'], unknown: ['exp_9'] });
    expect(found('', ' ')).toEqual({ ids: [], unknown: ['', ' '] });
  });

  it('that was renamed between two files is one', () => {
    const renamed = [
      { id: 'exp_1', name: 'Before' },
      { id: 'exp_1', name: 'After' },
    ];
    expect(idsOf(['Before', 'After', 'exp_1'], renamed)).toEqual({ ids: ['exp_1'], unknown: [] });
  });

  it('that is unknown is guessed, by id or name', () => {
    expect(suggestion(['Pilott'], KNOWN.slice(0, 2), 'It has')).toBe(
      'Did you mean "Pilot"? It has: exp_1 (Émotions et regard), exp_2 (Pilot).',
    );
    expect(suggestion(['emotions', 'ÉMOTIONS', 'p'], KNOWN.slice(0, 4), 'It has')).toMatch(
      /^Did you mean "Émotions et regard"\? It/,
    );
    expect(suggestion(['something else'], KNOWN.slice(0, 1), 'It has')).toBe('It has: exp_1 (Émotions et regard).');
    const many = Array.from({ length: 25 }, (_, n) => ({ id: `e${n}` }));
    expect(suggestion(['other'], many, 'It has')).toMatch(/e19 and 5 more, which `hsw status` lists\.$/);
  });
});
