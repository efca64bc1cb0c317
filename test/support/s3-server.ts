import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Answer {
  readonly status: number;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}

/** As much of S3 as a lake needs: objects, conditions, listing in pages, removal of many. */
export async function startS3(bucket: string) {
  const objects = new Map<string, { body: Buffer; etag: string; at: Date }>();
  const seen: { method: string; key: string; authorization: string }[] = [];
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body = '', headers = {} }) => {
      response.writeHead(status, { 'content-type': 'application/xml', ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3');
    const [, name, ...rest] = decodeURIComponent(pathname).split('/');
    const key = rest.join('/');
    const { authorization = '', 'if-match': isThat, 'if-none-match': isNone } = request.headers;
    const method = request.method ?? '';
    seen.push({ method, key, authorization });
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (name !== bucket) return error(404, 'NoSuchBucket');
    const held = objects.get(key);
    if (method === 'GET' && key === '') return listing(searchParams);
    if (method === 'POST') {
      for (const [, one = ''] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) objects.delete(one);
      return { status: 200, body: '<DeleteResult/>' };
    }
    if (method === 'PUT') {
      if (isNone === '*' && held !== undefined) return error(412, 'PreconditionFailed');
      if (isThat !== undefined && held?.etag !== isThat)
        return error(held ? 412 : 404, held ? 'PreconditionFailed' : 'NoSuchKey');
      const sha256 = request.headers['x-amz-checksum-sha256'];
      if (sha256 !== undefined && createHash('sha256').update(body).digest('base64') !== sha256)
        return error(400, 'BadDigest');
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      objects.set(key, { body, etag, at: new Date() });
      return { status: 200, headers: { etag } };
    }
    if (held === undefined) return error(404, 'NoSuchKey');
    return { status: 200, body: held.body, headers: { etag: held.etag, 'last-modified': held.at.toUTCString() } };
  };
  const listing = (params: URLSearchParams): Answer => {
    const after = params.get('continuation-token') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(params.get('prefix') ?? '') && key > after).sort();
    const page = keys.slice(0, 20);
    const contents = page.map(
      (key) =>
        `<Contents><Key>${key}</Key><LastModified>${objects.get(key)?.at.toISOString() ?? ''}</LastModified></Contents>`,
    );
    const more = keys.length > page.length ? `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>` : '';
    return { status: 200, body: `<ListBucketResult>${contents.join('')}${more}</ListBucketResult>` };
  };
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, objects, seen };
}

function error(status: number, code: string): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}
