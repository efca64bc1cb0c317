import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { canonicalJson, parseJson, textOfJson } from '../../../src/shared/json.ts';
import { parseExactly } from '../../../src/shared/json-values.ts';

const LEVELS = 100_000;
const inLists = (inner: string) => '['.repeat(LEVELS) + inner + ']'.repeat(LEVELS);
const inObjects = (inner: string) => '{"a":'.repeat(LEVELS) + inner + '}'.repeat(LEVELS);

describe('JSON nested a hundred thousand levels deep', () => {
  it.each([inLists('1'), inObjects('null'), inLists('"a\\"]b"'), inLists('9007199254740993'), inObjects('-0.0')])(
    'is read and written again letter for letter',
    (text) => {
      const same = textOfJson(parseJson(text)) === text && canonicalJson(parseJson(text)) === text;
      expect(same).toBe(true);
    },
  );

  it('keeps every digit of the shallow numbers beside it', () => {
    const text = `{"deep":${inLists('')},"__proto__":{"n":0.1000000000000000055511151231257827},"a":[1e400,{}, [] ,"x"]}`;
    const same = textOfJson(parseJson(text)) === text.replace(', [] ,', ',[],');
    expect(same).toBe(true);
  });

  it('becomes a malformed record whose text is as it was sent, while the records beside it become rows', () => {
    const events = datasetNamed('events');
    const deep = `{"id":"b","response":${inObjects('123456789012345678')}}`;
    const page = parseJson(`[{"id":"a"},${deep},${inLists('1')}]`);
    if (!Array.isArray(page)) throw new Error('no list');
    const [first, ...bad] = page.map((record) => normalise(events, record, { experimentId: 'e' }));
    expect(first).toMatchObject({ key: 'a' });
    expect(bad.map((record) => 'text' in record && [deep, inLists('1')].includes(record.text))).toEqual([true, true]);
  });
});

describe('a number', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,4})?$/);
  const around = fc.constantFrom<(n: string) => string>(
    (n) => n,
    (n) => `[${n}]`,
    (n) => `{"a":${n}}`,
    (n) => `[1,${n} ,"x"]`,
    (n) => ` {"a" : \t${n}\n}`,
    (n) => `["12345678901234567 1e999 -0",${n}]`,
  );

  it('is read digit for digit wherever it stands', () => {
    fc.assert(
      fc.property(digits, around, (number, place) => {
        expect(canonicalJson(parseJson(place(number)))).toBe(canonicalJson(parseExactly(place(number))));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '12345678901234567',
    '0.1000000000000000055',
    '1e400',
    '-0',
    '-0.0',
    '-0e5',
    '1.5E+0001',
    '-12345678901234.567',
  ])('%s is not changed, or by its way of writing only', (number) => {
    expect(textOfJson(parseJson(`{"a":[${number}]}`))).toBe(textOfJson(parseExactly(`{"a":[${number}]}`)));
  });
});

describe('JSON of any kind', () => {
  it('reads the same with a deep neighbour as without', () => {
    const deep = inLists('12345678901234567');
    fc.assert(
      fc.property(fc.json({ maxDepth: 3, stringUnit: 'binary' }), (text) => {
        const list = parseJson(`[${deep},${text}]`);
        expect(canonicalJson(Array.isArray(list) ? (list[1] ?? null) : null)).toBe(canonicalJson(parseJson(text)));
      }),
      { numRuns: 10 },
    );
  });

  it.each(['{"a":1,"b":2,"a":3}', ' [ ] ', '"\\ud800"', '-0', '{"":{"":""}}'])('%s reads the same, too', (text) => {
    const list = parseJson(`[${inLists('12345678901234567')},${text}]`);
    expect(textOfJson(Array.isArray(list) ? (list[1] ?? null) : null)).toBe(textOfJson(parseJson(text)));
  });
});
