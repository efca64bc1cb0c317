import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { denormalise, normalise, type Row } from '../../../src/datasets/normalise.ts';
import { withoutSignature } from '../../../src/datasets/addresses.ts';
import { canonicalJson, isObject, parseJson, type Json, type JsonObject } from '../../../src/shared/json.ts';

const events = datasetNamed('events');
const origin = { experimentId: 'exp_1' };

function row(dataset: (typeof DATASETS)[number], record: Json, from: Parameters<typeof normalise>[2] = origin): Row {
  const result = normalise(dataset, record, from);
  if ('reason' in result) throw new Error(result.reason);
  return result;
}
function back(
  dataset: (typeof DATASETS)[number],
  text: string,
  from: Parameters<typeof normalise>[2] = origin,
): string {
  return canonicalJson(denormalise(dataset, { ...row(dataset, parseJson(text), from), experimentId: 'exp_1' }));
}

/** Records whose keys are often those the data type knows, with values of any JSON kind. */
const recordOf = (dataset: (typeof DATASETS)[number]) =>
  fc.dictionary(
    fc.oneof(
      fc.constantFrom(...Object.keys(dataset.fields), 'experimentId', 'sessionId', '$absent', '$$absent', '__proto__'),
      fc.string({ unit: 'binary' }),
    ),
    fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => `${url}&token=abc&X-Goog-Signature=1`),
      fc.constantFrom(
        'https://example.org/page?token=abc&x=1 look at this',
        'https://example.org/page?token=abc&x=1',
        'see https://example.org/?Signature=abc',
      ),
      fc.constantFrom('exp_1', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456+02:00', -0, 1e300, '\ud800', 'a\0b'),
    ),
    { maxKeys: 12, noNullPrototype: true },
  );

/** The record as it should come back: only a declared address lacks its signature. */
function stable(dataset: (typeof DATASETS)[number], record: Json): Json {
  if (dataset.name !== 'recordings' || !isObject(record)) return record;
  return Object.fromEntries(
    Object.entries(record).map(([field, value]): [string, Json] => [
      field,
      typeof value === 'string' && ['url', 'downloadUrl'].includes(field) ? withoutSignature(value) : value,
    ]),
  );
}

describe('normalise', () => {
  it.each(DATASETS.map((dataset) => [dataset.name, dataset] as const))(
    'keeps every %s record as the API sent it',
    (_name, dataset) => {
      fc.assert(
        fc.property(recordOf(dataset), fc.boolean(), (record, filled) => {
          const text = JSON.stringify(record);
          const from = filled
            ? { ...origin, fill: { roomId: 'room_1', participantId: 'p', deploymentId: 'd' } }
            : origin;
          expect(back(dataset, text, from)).toBe(canonicalJson(stable(dataset, parseJson(text))));
        }),
        { numRuns: 300 },
      );
    },
  );

  it.each([
    '9007199254740993',
    '0.1000000000000000055511151231257827',
    '1e400',
    '-0',
    '-0.0',
    '123456789012345678901234567890',
  ])('keeps the number %s digit for digit', (number) => {
    expect(back(events, `{"id":"a","duration":${number},"nested":[${number}]}`)).toBe(
      `{"duration":${number},"id":"a","nested":[${number}]}`,
    );
  });

  it('keeps a known field of another type in extra and leaves its column empty', () => {
    const { values, extra } = row(events, { id: 'a', experimentId: 'exp_1', onset: 'soon', response: null });
    expect(values[events.columns.findIndex(({ field }) => field === 'onset')]).toBeNull();
    expect(JSON.parse(extra ?? '')).toEqual({ onset: 'soon', response: null });
  });

  it.each([
    ['7', ['integer', 7, null, null]],
    ['7.0', ['integer', 7, null, null]],
    ['7.5', ['number', 7.5, null, null]],
    ['"7"', ['text', null, '7', null]],
    ['true', ['boolean', 1, null, null]],
    ['[1,"a"]', ['list', null, null, '[1,"a"]']],
    ['{"a":1}', ['object', null, null, '{"a":1}']],
    ['null', [null, null, null, null]],
    ['9007199254740993', ['integer', 9007199254740992, null, null]],
    ['1e400', ['number', null, null, null]],
    ['"a\\u0000b"', ['text', null, null, null]],
  ])('stores the value %s of any type in a column of its type', (value, stored) => {
    const variables = datasetNamed('variables');
    const { values } = row(variables, parseJson(`{"variable":"x","value":${value}}`));
    expect(values.filter((_, i) => variables.columns[i]?.field === 'value')).toEqual(stored);
    expect(back(variables, `{"value":${value},"variable":"x"}`)).toBe(
      canonicalJson(parseJson(`{"value":${value},"variable":"x"}`)),
    );
  });

  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T05:04:05.1239+02:00', '2026-01-02T03:04:05.123Z'],
    [1767323045000, '2026-01-02T03:04:05.000Z'],
    [1767323045, '2026-01-02T03:04:05.000Z'],
    [1767323045.123, '2026-01-02T03:04:05.123Z'],
    [1767323045.1239, '2026-01-02T03:04:05.123Z'],
    [{ _seconds: 1767323045, _nanoseconds: 7_000_000 }, '2026-01-02T03:04:05.007Z'],
  ])('stores the time %j as %s', (sent, stored) => {
    const { values, time } = row(events, { id: 'a', timestamp: sent });
    expect(values[events.columns.findIndex(({ field }) => field === 'timestamp')]).toBe(stored);
    expect(time).toBe(Date.parse(stored));
  });

  it.each(['1767323045.5', '1767323045.123456789012345', '1767323045123.25'])(
    'keeps the time %s as it was sent',
    (sent) => {
      const text = `{"id":"a","timestamp":${sent}}`;
      expect(row(events, parseJson(text)).time).toBe(Math.floor(Number(sent) * (Number(sent) < 5e9 ? 1000 : 1)));
      expect(back(events, text)).toBe(text);
    },
  );

  it.each([999_999_999, 5e9, 999_999_999_999, 5e12, -1, { seconds: 1e6 }])('does not read %j as a time', (sent) => {
    expect(row(events, { id: 'a', timestamp: sent }).time).toBeUndefined();
  });

  it('makes the same row of one download address with two signatures', () => {
    const recordings = datasetNamed('recordings');
    const signed = (signature: string): JsonObject => ({
      recordingId: 'r',
      url: `https://files.example/a.mp4?GoogleAccessId=hsw&Expires=${signature}&Signature=${signature}%2F`,
      downloadUrl: `https://files.example/a.mp4?alt=media&X-Goog-Date=${signature}&X-Goog-Signature=${signature}#t=1`,
    });
    const one = row(recordings, signed('one'));
    expect(row(recordings, signed('two'))).toEqual(one);
    expect(denormalise(recordings, { ...one, experimentId: 'exp_1' })).toMatchObject({
      url: 'https://files.example/a.mp4',
      downloadUrl: 'https://files.example/a.mp4?alt=media#t=1',
    });
  });

  it('makes a malformed record, with its text, of what is not an object or too deep for SQLite', () => {
    let deep: Json = 'end';
    for (let level = 0; level < 1500; level++) deep = [deep];
    expect(normalise(events, 'text', origin)).toEqual({ reason: 'not an object', text: '"text"' });
    expect(normalise(events, { id: 'a', deep }, origin)).toMatchObject({
      reason: expect.stringContaining('deep') as string,
    });
  });
});
