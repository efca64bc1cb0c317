import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dropPart, fetchFile, type Begun, type Fetching } from '../../../src/media/fetch.ts';
import { temporaryFolder } from '../../support/lab.ts';

const WHOLE = 'the whole file of a recording';
const ETAG = '"v1"';
const BEGUN: Begun = { etag: ETAG, totalBytes: WHOLE.length };
const NOTHING: Begun = { etag: null, totalBytes: null };
const HELD = WHOLE.slice(0, 9);

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Sends the rest from the byte that was asked for, with other headers where some are given. */
const rest =
  (headers: Record<string, string> = {}, body = WHOLE.slice(HELD.length)): Answer =>
  (response) => {
    const range = `bytes ${HELD.length}-${WHOLE.length - 1}/${WHOLE.length}`;
    response.writeHead(206, { etag: ETAG, 'content-range': range, ...headers }).end(body);
  };
const whole: Answer = (response) => {
  response.writeHead(200, { etag: ETAG, 'content-length': WHOLE.length }).end(WHOLE);
};

/** A server of files, a part on the disk, and a download into it. */
async function downloading(answer: Answer, { held = '', begun = NOTHING } = {}) {
  const asked: { range: string | undefined; ifRange: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ range: request.headers.range, ifRange: request.headers['if-range']?.toString() });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => (server.closeAllConnections(), void server.close()));
  const part = join(temporaryFolder(), 'x.part');
  writeFileSync(part, held);
  const noted: Begun[] = [];
  const fetch = (change: Partial<Fetching> = {}) =>
    fetchFile(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`), {
      part,
      begun,
      onBegin: (what) => void noted.push(what),
      pace: () => Promise.resolve(),
      timeoutMs: 10_000,
      mostMs: 10_000,
      signal: new AbortController().signal,
      ...change,
    });
  return { asked, noted, part, fetch, written: () => readFileSync(part, 'utf8') };
}

const DIGEST = createHash('sha256').update(WHOLE).digest('hex');

describe('the download of a file', () => {
  it('writes it, says its digest, and notes beforehand what the server says of it', async () => {
    const { asked, noted, fetch, written } = await downloading(whole);
    expect(await fetch()).toEqual({ bytes: WHOLE.length, sha256: DIGEST, received: WHOLE.length });
    expect(written()).toBe(WHOLE);
    expect(asked).toEqual([{ range: undefined, ifRange: undefined }]);
    expect(noted).toEqual([BEGUN]);
  });

  it('continues where an earlier one stopped, and says the digest of all', async () => {
    const { asked, noted, fetch, written } = await downloading(rest(), { held: HELD, begun: BEGUN });
    expect(await fetch()).toEqual({ bytes: WHOLE.length, sha256: DIGEST, received: WHOLE.length - HELD.length });
    expect(written()).toBe(WHOLE);
    expect(asked).toEqual([{ range: `bytes=${HELD.length}-`, ifRange: ETAG }]);
    expect(noted).toEqual([]);
  });

  it('begins at the start where the server sends all', async () => {
    const { fetch, written } = await downloading(whole, { held: 'x'.repeat(100), begun: BEGUN });
    expect(await fetch()).toMatchObject({ sha256: DIGEST, received: WHOLE.length });
    expect(written()).toBe(WHOLE);
  });

  it.each<[string, string | null]>([
    ['has no ETag', null],
    ['has a weak ETag', 'W/"v1"'],
    ['has an ETag that would add a header', '"v1"\r\nx: y'],
  ])('begins at the start where the part %s', async (_what, etag) => {
    const { asked, fetch } = await downloading(whole, { held: HELD, begun: { ...BEGUN, etag } });
    expect(await fetch()).toMatchObject({ sha256: DIGEST });
    expect(asked).toEqual([{ range: undefined, ifRange: undefined }]);
  });

  it.each<[string, Answer]>([
    ['of another ETag', rest({ etag: '"v2"' })],
    ['that starts elsewhere', rest({ 'content-range': `bytes 3-${WHOLE.length - 1}/${WHOLE.length}` })],
    ['that ends early', rest({ 'content-range': `bytes ${HELD.length}-20/${WHOLE.length}` })],
    ['of a file of another size', rest({ 'content-range': `bytes ${HELD.length}-99/100` })],
    ['that does not say where it starts', rest({ 'content-range': '' })],
    ['that cannot be, as 416', (response) => response.writeHead(416).end()],
  ])('drops what it has instead of continuing with a part %s', async (_what, answer) => {
    const { fetch, written } = await downloading(answer, { held: HELD, begun: BEGUN });
    await expect(fetch()).rejects.toMatchObject({ problem: 'broken' });
    expect(written()).toBe('');
  });

  it.each<[number, string]>([
    [301, 'redirected'],
    [400, 'refused'],
    [403, 'refused'],
    [404, 'missing'],
    [408, 'failed'],
    [410, 'missing'],
    [429, 'failed'],
    [503, 'failed'],
    [206, 'failed'],
  ])('that was answered with %i was %s, and what an earlier one brought stays', async (status, problem) => {
    const { fetch, written } = await downloading((response) => response.writeHead(status).end('sorry'), { held: HELD });
    await expect(fetch()).rejects.toMatchObject({ problem });
    expect(written()).toBe(HELD);
  });

  it('keeps what came when the connection breaks off', async () => {
    const { fetch, written } = await downloading((response) => {
      response.writeHead(200, { etag: ETAG, 'content-length': WHOLE.length });
      response.write(HELD, () => setTimeout(() => response.destroy(), 20));
    });
    await expect(fetch()).rejects.toMatchObject({ problem: 'broken' });
    expect(written()).toBe(HELD);
  });

  it('is broken where the rest is shorter than the file was said to be', async () => {
    const { fetch } = await downloading(rest({}, 'file'), { held: HELD, begun: BEGUN });
    await expect(fetch()).rejects.toMatchObject({ problem: 'broken' });
  });

  it('takes nothing that is compressed, as that is not the file', async () => {
    const { fetch, written } = await downloading((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(WHOLE),
    );
    await expect(fetch()).rejects.toMatchObject({ problem: 'failed' });
    expect(written()).toBe('');
  });

  it('ends a try that takes too long, and keeps what it brought', async () => {
    const { fetch, written } = await downloading((response) => void response.writeHead(200).write(HELD));
    await expect(fetch({ mostMs: 200, timeoutMs: 600_000 })).rejects.toMatchObject({ problem: 'slow' });
    expect(written()).toBe(HELD);
  });

  it('asks the pace about every byte that came, and ends when a person interrupts it', async () => {
    let bytes = 0;
    const ending = new AbortController();
    const pace = (more: number) => Promise.resolve(void (bytes += more));
    const { fetch } = await downloading(whole);
    await fetch({ pace });
    expect(bytes).toBe(WHOLE.length);
    const silent = await downloading(() => ending.abort());
    await expect(silent.fetch({ signal: ending.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('never writes through a link that stands in the place of its part', async () => {
    const { asked, part, fetch, written } = await downloading(whole, { held: 'of someone else' });
    const link = `${part}.link`;
    symlinkSync(part, link);
    await expect(fetch({ part: link })).rejects.toMatchObject({ code: 'WAREHOUSE_UNWRITABLE' });
    expect(written()).toBe('of someone else');
    expect(asked).toEqual([]);
  });
});

it.each<['any' | 'empty', string, string[]]>([
  ['empty', '', []],
  ['empty', 'x', ['part']],
  ['any', 'x', []],
])('of the part of a file, %s is dropped (with %j in it, %j stays)', async (which, content, stays) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'part'), content);
  await dropPart(join(folder, 'part'), which);
  expect(readdirSync(folder)).toEqual(stays);
});
