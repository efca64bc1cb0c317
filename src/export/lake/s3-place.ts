import { WarehouseError } from '../../shared/errors.ts';

/** A bucket, and the folder in it; empty: all of it. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  /** As people write it. */
  readonly place: string;
}

/** @throws WarehouseError USAGE for an address that is none, in words that hold nothing of it, as it may hold a key. */
export function s3Place(text: string): S3Place {
  const [, bucket = '', path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(\/[^?#@]*)?$/.exec(text) ?? [];
  const prefix = path
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  if (bucket !== '') return { bucket, prefix, place: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}` };
  throw new WarehouseError('USAGE', 'The address after --to is not s3://BUCKET/FOLDER.', {
    hint: 'Keys do not belong there: put them into the AWS_ environment variables, or into ~/.aws.',
  });
}

const HINTS: Readonly<Record<string, string>> = {
  CredentialsProviderError:
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or AWS_PROFILE for a profile of ~/.aws.',
  AccessDenied: 'The key needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket for this place.',
  InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID, or the profile that AWS_PROFILE names.',
  SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY, or the profile that AWS_PROFILE names.',
  ExpiredToken: 'The credentials are no longer valid: get new ones.',
  NoSuchBucket: 'Make the bucket first, or check its name.',
  PermanentRedirect: 'Set AWS_REGION to the region of the bucket.',
  NotImplemented:
    'This server does not support conditional puts, without which two publications could undo each other.',
};

/** The error for people of what a server, or the way to it, refused. Keys are in none of it. */
export function failedAt(place: string, error: unknown, env: NodeJS.ProcessEnv): WarehouseError {
  if (error instanceof WarehouseError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const hidden = [env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN'], env['AWS_ACCESS_KEY_ID']];
  const said = hidden.reduce<string>(
    (text, secret) => (secret === undefined || secret === '' ? text : text.replaceAll(secret, '[hidden]')),
    `${name}: ${message}`,
  );
  const why = name === 'CredentialsProviderError' ? 'there are no credentials for it' : said.replace(/\.$/, '');
  return new WarehouseError(
    'PUBLISH_FAILED',
    `Nothing new is published at ${place}: ${why}. What was published there before is unchanged.`,
    { hint: HINTS[name] ?? 'Check the network and AWS_ENDPOINT_URL, and publish again: what was put already is used.' },
  );
}
