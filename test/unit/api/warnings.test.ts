import { describe, expect, it } from 'vitest';
import { readEnvelope, type Envelope } from '../../../src/api/envelope.ts';

type Success = Extract<Envelope, { kind: 'success' }>;

function read(body: object): Success {
  const envelope = readEnvelope(JSON.stringify(body));
  if (envelope.kind !== 'success') throw new Error(`it is ${envelope.kind}`);
  return envelope;
}

const NONE = { status: 'success', data: [] };

describe('an answer without records may lack some', () => {
  it.each([
    ['success is false', { success: false, data: [] }],
    ['success is false beside the documented word', { ...NONE, success: 'false' }],
    ['ok is false', { ok: false, data: [{ id: 'a' }] }],
    ['it names errors', { ...NONE, errors: [{ message: 'x' }] }],
    ['it names an error in a text', { ...NONE, error: 'x' }],
    ['its metadata name an error', { ...NONE, metadata: { error: 'timeout' } }],
    ['a gateway sends its own message', { statusCode: 503, message: 'unavailable', data: [] }],
    ['nothing says that it is a success', { data: [] }],
    ['it warns beside its data', { ...NONE, _warnings: ['x'] }],
    ['it warns under another name', { ...NONE, metadata: { warnings: ['x'] } }],
    ['it warns in one text', { ...NONE, metadata: { warning: 'x' } }],
    ['it warns in metadata of another name', { ...NONE, meta: { _warnings: ['x'] } }],
    ['it calls itself partial', { ...NONE, metadata: { partial: true } }],
    ['it calls itself incomplete', { ...NONE, incomplete: 'yes' }],
    ['it does so in another form of the word', { ...NONE, metadata: { is_partial: true } }],
    ['its results are incomplete', { ...NONE, metadata: { incompleteResults: true } }],
    ['it was made from a part that did not time out', { ...NONE, metadata: { timed_out: true } }],
    ['it denies that it is complete', { ...NONE, metadata: { isComplete: false } }],
    ['its metadata have the status of a part', { ...NONE, metadata: { status: 'partial' } }],
    ['its metadata deny the success', { ...NONE, metadata: { success: false } }],
    ['what it says of its processing warns', { ...NONE, metadata: { processing: { _warnings: ['x'] } } }],
    ['its records are beside an empty list', { ...NONE, items: [{ id: 'a' }] }],
    ['its metadata are a list', { ...NONE, metadata: [{ _warnings: ['x'] }] }],
    ['its pages are a text', { ...NONE, metadata: { pagination: 'none' } }],
  ])('if %s', (_, body) => expect(read(body).warnings).not.toEqual([]));

  it.each([
    ['it was cut, as it says beside its data', { ...NONE, truncated: true }],
    ['it was cut, as its pages say', { ...NONE, metadata: { pagination: { truncated: true } } }],
  ])('if %s', (_, body) => expect(read(body).truncated).toBe(true));

  it.each([
    ['it says that it is a success', NONE],
    ['it says so in another way', { success: true, data: [] }],
    ['it has metadata', { data: [], metadata: { dataType: 'agentRuns' } }],
    ['it says that there was no error', { ...NONE, error: null, errors: [], warnings: [], truncated: false }],
    [
      'it says that it is whole',
      {
        ...NONE,
        metadata: {
          status: 'completed',
          isComplete: true,
          hasErrors: false,
          partialFailures: [],
          timedOut: 0,
          stale: false,
          is_truncated: false,
        },
      },
    ],
    [
      'it says that there was no error, in its metadata',
      { ...NONE, metadata: { errors: {}, warning: '', partial: false } },
    ],
  ])('not if %s', (_, body) => expect(read(body)).toMatchObject({ warnings: [], truncated: false }));
});

describe('what an answer says about its pages', () => {
  it.each([
    ['in the documented place', { ...NONE, metadata: { pagination: { total: 60, hasMore: true } } }],
    ['flat in the metadata', { ...NONE, metadata: { total: 60, hasMore: true } }],
    ['beside the data', { ...NONE, pagination: { total: 60, hasMore: true } }],
    ['flat beside the data', { ...NONE, total: 60, hasMore: true }],
    ['in a list of one', { ...NONE, metadata: { pagination: [{ total: 60, hasMore: true }] } }],
    ['in metadata of another name', { ...NONE, meta: { pagination: { total: 60, hasMore: true } } }],
    ['in texts', { ...NONE, metadata: { pagination: { total: '60', hasMore: 'true' } } }],
    ['in numbers', { ...NONE, metadata: { pagination: { total: 60, hasMore: 1 } } }],
  ])('is read %s', (_, body) => expect(read(body).pagination).toEqual({ total: 60, hasMore: true }));

  it.each([
    ['"false"', false],
    ['0', false],
    ['null', undefined],
    ['"no"', undefined],
    ['[]', undefined],
  ])('says by hasMore %s: %s', (hasMore, expected) => {
    const body = { ...NONE, metadata: { pagination: { hasMore: JSON.parse(hasMore) as unknown } } };
    expect(read(body).pagination?.hasMore).toBe(expected);
  });
});
