import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../src/api/client.ts';
import { readEnvelope } from '../../../src/api/envelope.ts';
import { judge } from '../../../src/api/judge.ts';
import { withoutSignature } from '../../../src/datasets/addresses.ts';
import { parseJson } from '../../../src/shared/json.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { parseTime } from '../../../src/shared/time.ts';

const MB = 1024 ** 2;
/** The time after which a body is called a bomb, on a busy machine. */
const PATIENCE_MS = 20_000;

describe('a body that is made to overflow or to stall', () => {
  it.each([
    ['digits', `{"data":[${'1'.repeat(15 * MB)}]}`],
    ['zeros behind a point', `{"data":[-0.${'0'.repeat(15 * MB)}]}`],
    ['zeros with an end', `{"data":[1${'0'.repeat(7 * MB)}1]}`],
    ['escapes beside a long number', `{"data":["${'\\n'.repeat(7 * MB)}",1.00000000000000001]}`],
    [
      'escapes beside deep lists',
      `{"data":[${'['.repeat(20_000)}${']'.repeat(20_000)},"${'\\"'.repeat(5 * MB)}",1e999]}`,
    ],
    ['backslashes', `{"data":["${'\\\\'.repeat(7 * MB)}",1e999]}`],
    ['an exponent without an end', `{"data":[1e${'1'.repeat(15 * MB)}]}`],
  ])('of %s is read exactly', (_, body) => {
    const began = performance.now();
    const envelope = readEnvelope(body);
    expect(envelope.kind).toBe('success');
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
  });

  it.each([
    ['20 million lists', `{"data":${'['.repeat(20 * MB)}`, 'it is nested more than 100000 levels deep'],
    ['digits', `{"data":[${'1'.repeat(20 * MB)}]}`, 'it is larger than 16 MB and has numbers of many digits'],
    [
      'negative zeros',
      `{"data":[${'-0,'.repeat(10 * MB)}1]}`,
      'it is larger than 16 MB and has numbers of many digits',
    ],
  ])('of %s is refused in words at once', (_, text, words) => {
    const began = performance.now();
    const reply = { status: 200, body: { text }, retryAfter: undefined, date: undefined, requestId: undefined };
    const outcome = judge(reply, 'events of e', 'key');
    expect(outcome).toMatchObject({
      kind: 'final',
      error: { code: 'ANSWER_UNREADABLE', message: expect.stringContaining(words) as string },
    });
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
  });

  it('costs no digit of a number that is shorter', () => {
    for (const number of [
      '-0',
      '-0.0',
      '-0.5',
      '1e400',
      '0.1000000000000000055511151231257827',
      `0.${'0'.repeat(500)}1`,
    ])
      expect(JSON.stringify(parseJson(`[${number}]`))).toBe(`[${number}]`);
  });

  it('stalls no pattern that texts are compared with', () => {
    const began = performance.now();
    withoutSignature(`https://a.b/?${'a=1&'.repeat(MB)}token=x#${'b'.repeat(10 * MB)}`);
    expect(parseTime(`2026-01-01T00:00:00${' '.repeat(10 * MB)}`)).toBe(Date.UTC(2026, 0, 1));
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
  });
});

describe('a text that may be a date', () => {
  it.each(['2026-02-30T10:00:00.000Z', '2026-02-29T10:00:00Z', '2026-04-31 10:00', '2026-02-30T10:00:00+01:00'])(
    '%s is not a time',
    (text) => expect(parseTime(text)).toBeUndefined(),
  );
  it.each(['2024-02-29T10:00:00.000Z', '2026-01-31T10:00:00Z', '2026-12-31T23:30:00-05:00'])('%s is a time', (text) =>
    expect(parseTime(text)).toBe(Date.parse(text)),
  );
});

/** A client without limits, and the addresses that it asked for. */
async function unlimited() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('{"status":"success","data":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: `hst_test_${'k'.repeat(64)}`,
    organization: undefined,
    budget: { spend: (_, start) => start(), pause: () => undefined },
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    timeoutMs: 10_000,
    userAgent: 'test',
  });
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  return { client, asked };
}

describe('an id in an address', () => {
  it.each(['.', '..', '', 'x'.repeat(5000)])('that has none of its own is not asked for: %j', async (id) => {
    const { client, asked } = await unlimited();
    const path = `/data/events/experiment/${encodeURIComponent(id)}`;
    await expect(client.get({ path, endpoint: 'events', what: `events of ${id}` })).rejects.toMatchObject({
      code: 'PARAMETER_REFUSED',
      message: expect.stringMatching(
        /^The API cannot be asked for events of .{0,300}.*No request was sent\.$/s,
      ) as string,
    });
    expect(asked).toEqual([]);
  });

  it.each(['...', 'a/b', '../x', '%2e%2e', 'ä', '0'])('may be %j', async (id) => {
    const { client, asked } = await unlimited();
    const path = `/data/events/experiment/${encodeURIComponent(id)}`;
    await client.get({ path, endpoint: 'events', what: 'events' });
    expect(asked).toEqual([path]);
  });
});
