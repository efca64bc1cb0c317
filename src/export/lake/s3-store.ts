import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { failedAt, type S3Place } from './s3-place.ts';
import type { Store } from './store.ts';

/** DeleteObjects takes no more at a time. */
const MOST_NAMES = 1000;

/**
 * A lake in a bucket of S3, or of a server that speaks its language. Credentials come from the usual environment, files
 * and services; the manifest is replaced by a conditional put, which AWS has had since the end of 2024.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function s3Store({ bucket, prefix, place }: S3Place, env: NodeJS.ProcessEnv, signal: AbortSignal): Store {
  const isOwnServer = (env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']) !== undefined;
  const isRegionKnown = (env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? env['AWS_PROFILE']) !== undefined;
  const client = new S3Client({
    // Other servers mostly have no name for each bucket, and no regions.
    forcePathStyle: isOwnServer,
    ...(!isRegionKnown && { region: env['AWS_DEFAULT_REGION'] ?? 'us-east-1' }),
    // The SHA-256 of a file is given with it; other servers refuse the trailing checksums that are the default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(!isOwnServer && !isRegionKnown && { followRegionRedirects: true }),
  });
  const root = prefix === '' ? '' : `${prefix}/`;
  const at = (name: string) => ({ Bucket: bucket, Key: `${root}${name}` });
  const options = { abortSignal: signal };
  const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      throw failedAt(place, error, env);
    }
  };
  return {
    place,
    workshop: tmpdir(),
    read: (name) =>
      asking(async () => {
        const found = await unless([404], () => client.send(new GetObjectCommand(at(name)), options));
        const text = await found?.Body?.transformToString('utf-8');
        return text === undefined ? undefined : { text, version: found?.ETag ?? '' };
      }),
    put: (name, file, sha256) =>
      asking(async () => {
        // It is sent again where a connection fails, which a stream cannot be; files are at most some 100 MB.
        const Body = await readFile(file);
        const ChecksumSHA256 = Buffer.from(sha256, 'hex').toString('base64');
        const put = new PutObjectCommand({ ...at(name), Body, ChecksumSHA256, IfNoneMatch: '*' });
        return (await unless([409, 412], () => client.send(put, options))) !== undefined;
      }),
    putAt: (name) =>
      asking(async () =>
        (await unless([404], () => client.send(new HeadObjectCommand(at(name)), options)))?.LastModified?.getTime(),
      ),
    replace: (name, text, version) =>
      asking(async () => {
        const condition = version === undefined ? { IfNoneMatch: '*' } : { IfMatch: version };
        const put = new PutObjectCommand({ ...at(name), Body: text, ContentType: 'application/json', ...condition });
        return (await unless([404, 409, 412], () => client.send(put, options))) !== undefined;
      }),
    async *list(folder) {
      let token: string | undefined;
      do {
        const page = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: `${root}${folder}/`,
          ...(token !== undefined && { ContinuationToken: token }),
        });
        const { Contents = [], NextContinuationToken } = await asking(() => client.send(page, options));
        for (const { Key = '', LastModified } of Contents)
          yield { name: Key.slice(root.length), at: LastModified?.getTime() ?? Infinity };
        token = NextContinuationToken;
      } while (token !== undefined);
    },
    remove: (names) =>
      asking(async () => {
        for (let i = 0; i < names.length; i += MOST_NAMES) {
          const Objects = names.slice(i, i + MOST_NAMES).map((name) => ({ Key: at(name).Key }));
          const removal = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
          const { Errors: [first] = [] } = await client.send(removal, options);
          if (first !== undefined) throw new Error(`${first.Key ?? ''}: ${first.Message ?? first.Code ?? ''}`);
        }
      }),
  };
}

/** What the server answers, or undefined where it answers with one of these statuses. */
async function unless<T>(statuses: readonly number[], ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isOfBucket = error instanceof S3ServiceException && error.name === 'NoSuchBucket';
    if (error instanceof S3ServiceException && !isOfBucket && statuses.includes(error.$metadata.httpStatusCode ?? 0))
      return undefined;
    throw error;
  }
}
