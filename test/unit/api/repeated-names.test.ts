import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedNames } from '../../../src/api/repeated-names.ts';
import { readEnvelope } from '../../../src/api/envelope.ts';
import { parseJson } from '../../../src/shared/json.ts';

const find = (text: string) => repeatedNames(text, parseJson(text));

describe('a name that comes twice in an object', () => {
  it.each([
    ['of a record', '{"id":1,"x":"a","x":"b"}'],
    ['of a record, with the same value', '{"x":1,"x":1}'],
    ['written in two ways', '{"x":1,"\\u0078":2}'],
    ['deep in a record', '{"id":1,"v":[{"a":{"b":1,"b":2}}]}'],
    ['with marks in its texts', '{"a:}\\"":1, "b" : "\\\\", "b"\n: ":,"}'],
    ['__proto__', '{"__proto__":1,"__proto__":2}'],
    ['beside a number of many digits', '{"x":12345678901234567890,"x":1}'],
  ])('is found in its record: %s', (_, record) => {
    const text = `{"status":"success","data":[{"id":[":,"]} , ${record},{"id":3}],"metadata":{"x":1}}`;
    expect(find(text)).toEqual({ records: new Map([[1, record]]), elsewhere: undefined });
  });

  it.each([
    ['data', '{"data":[1],"data":[]}'],
    ['data', '{"d\\u0061ta":[],"data":[{"x":1}]}'],
    ['total', '{"data":[],"metadata":{"pagination":{"total":1,"total":0}}}'],
    ['x', '{"data":{"x":1,"x":2}}'],
  ])('makes the answer unreadable anywhere else: %s in %s', (name, text) => {
    expect(find(text).elsewhere).toBe(name);
    expect(readEnvelope(text)).toEqual({ kind: 'unreadable', why: `it names "${name}" twice` });
  });

  it('is found in no text that a serialiser wrote, however it is laid out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 2 }), (value, spaces) => {
        const text = JSON.stringify({ data: [value, value] }, null, spaces);
        expect(find(text)).toEqual({ records: new Map(), elsewhere: undefined });
      }),
      { numRuns: 500 },
    );
  });

  it('is looked for in little time, in lists that are nested deeply as well', () => {
    const began = performance.now();
    find(`{"data":[${'['.repeat(50_000)}${']'.repeat(50_000)},${'{"a":":"},'.repeat(200_000)}{"x":1,"x":2}]}`);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
