import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../../../src/api/envelope.ts';
import { backoff, retryAfter } from '../../../src/api/retry.ts';

describe('the envelope of an answer', () => {
  it('is parsed or refused for any text, without an exception', () => {
    const member = fc.constantFrom(
      'status',
      'data',
      'metadata',
      'error',
      'pagination',
      '_warnings',
      'hasMore',
      'total',
      'code',
      'message',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(member, tie('tree'), { maxKeys: 6 })),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          tree.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          expect(['success', 'error', 'unreadable']).toContain(readEnvelope(text).kind);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is a list of one for a single object, and has no counts of the wrong type', () => {
    expect(
      readEnvelope(
        '{"status":"success","data":{"id":1},"metadata":{"pagination":{"total":"many","hasMore":"no","returned":-1,"nextOffset":2.5}}}',
      ),
    ).toMatchObject({
      kind: 'success',
      data: [{ id: 1 }],
      pagination: {},
    });
    expect(readEnvelope('{"data":[],"metadata":{"_warnings":["a",1],"truncated":true}}')).toMatchObject({
      warnings: ['a', '1'],
      truncated: true,
      pagination: undefined,
    });
  });

  it.each([
    [
      'a status that is not documented',
      '{"status":"partial","data":[]}',
      { warnings: ['the status of the answer is "partial"'] },
    ],
    [
      'a status with an error word',
      '{"status":"Errors","data":[]}',
      { warnings: ['the status of the answer is "Errors"'] },
    ],
    ['another word for success', '{"status":"OK","data":[]}', { warnings: [] }],
    ['the documented word in capitals', '{"status":"Success","data":[]}', { warnings: [] }],
    ['a word for true', '{"data":[],"metadata":{"truncated":"true"}}', { truncated: true }],
    ['null', '{"data":[],"metadata":{"truncated":null}}', { truncated: false, warnings: [] }],
    ['an object', '{"data":{}}', { isSingle: true }],
    ['an error without a status', '{"data":[],"error":{"code":"X"}}', { kind: 'error', code: 'X' }],
    [
      'an error beside a success',
      '{"status":"success","data":[1],"error":{"code":"UNAUTHORIZED"}}',
      { kind: 'success', data: [1], warnings: ['the answer names an error: {"code":"UNAUTHORIZED"}'] },
    ],
    ['no error', '{"status":"success","data":[],"error":null}', { kind: 'success', warnings: [] }],
  ])('shows that records may be missing: %s', (_, text, expected) => {
    expect(readEnvelope(text)).toMatchObject(expected);
  });

  it.each<[string, string, number | undefined]>([
    ['all, as it is not how many came', '{"data":[1,2],"metadata":{"count":60}}', 60],
    ['all, in the pagination', '{"data":[],"metadata":{"pagination":{"count":"60","hasMore":false}}}', 60],
    ['all, beside the data', '{"data":[],"count":7}', 7],
    ['fewer than came, which contradicts the answer', '{"data":[1,2],"metadata":{"count":0}}', 0],
    ['what came, which says nothing of the others', '{"data":[1,2],"metadata":{"count":2}}', undefined],
    ['something else, where there is a total', '{"data":[1],"metadata":{"count":60,"pagination":{"total":3}}}', 3],
    ['nothing, as it is no count', '{"data":[1],"metadata":{"count":"many"}}', undefined],
  ])('takes a count for that of %s', (_, text, total) => {
    const envelope = readEnvelope(text);
    expect(envelope.kind === 'success' ? envelope.pagination?.total : 'unread').toBe(total);
  });

  it.each([
    '',
    '<html>',
    'null',
    '[]',
    '{}',
    '{"data":null}',
    '{"data":[[{"id":"a"}]]}',
    '{"status":"success","data":"text"}',
  ])('is unreadable if the text is %j', (text) => {
    expect(readEnvelope(text).kind).toBe('unreadable');
  });
});

describe('waiting', () => {
  it("lasts as long as Retry-After says, in seconds or as a date of the server's clock, or else a minute", () => {
    const date = 'Mon, 12 Jan 2026 09:00:00 GMT';
    expect(retryAfter({ retryAfter: '90', date }, 0)).toBe(90_000);
    expect(retryAfter({ retryAfter: 'Mon, 12 Jan 2026 09:02:00 GMT', date }, 0)).toBe(121_000);
    expect(retryAfter({ retryAfter: undefined, date }, 0)).toBe(60_000);
    expect(retryAfter({ retryAfter: 'soon', date }, 0)).toBe(60_000);
    for (const odd of ['-5', 'never 1', '9'.repeat(400)]) expect(retryAfter({ retryAfter: odd, date }, 0)).toBe(60_000);
  });

  it('gets longer after each failure, up to half a minute', () => {
    const longest = [1, 2, 3, 10].map((failures) => backoff(failures, () => 1));
    expect(longest).toEqual([1000, 2000, 4000, 30_000]);
    expect(backoff(3, () => 0)).toBe(0);
  });
});
