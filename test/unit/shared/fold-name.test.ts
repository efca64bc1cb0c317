import { expect, it } from 'vitest';
import { foldName } from '../../../src/shared/fold-name.ts';

it.each([
  ['case', 'PILOT', 'pilot'],
  ['accents', 'Émotions', 'emotions'],
  ['how accents are encoded', 'é'.normalize('NFD'), 'é'.normalize('NFC')],
  ['spaces around it and how many are in it', '  a \u00a0 b\n', 'a b'],
  ['wide letters', 'ＡＢ', 'ab'],
])('the names of experiments are compared without %s', (_what, one, other) => {
  expect(foldName(one)).toBe(foldName(other));
});

it.each([
  ['が', 'か'],
  ['ह', 'हि'],
  ['a b', 'ab'],
  ['ø', 'o'],
])('the names of experiments %j and %j stay apart', (one, other) => {
  expect(foldName(one)).not.toBe(foldName(other));
});
