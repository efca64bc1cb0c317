import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { duration, group } from './fields.ts';

const PLACES = 'a folder, s3://BUCKET/FOLDER or postgres://USER@HOST/DATABASE';
const S3 = /^s3:\/\/[a-z0-9][a-z0-9.-]+[a-z0-9](\/[^?#@]*)?$/;
/** A user without a password, host and port, database, options. */
const POSTGRES = /^postgres(?:ql)?:\/\/(?:[^@/?#:]*@)?[^@/?#]*(?:\/[^@/?#]*)?(?:\?(?!.*\bpassword=)[^@#]*)?$/;

/** What is published of the warehouse by itself, and where. */
export function publishSchema() {
  return group({
    to: z
      .string(`must be ${PLACES}`)
      .min(1, `must be ${PLACES}`)
      .refine(
        (text) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(text) || S3.test(text) || POSTGRES.test(text),
        `must be ${PLACES}; keys and passwords belong in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, PGPASSWORD) or ~/.pgpass`,
      )
      .describe(
        'Where it is kept: a folder, relative to that of the configuration file; for a lake also `s3://BUCKET/FOLDER`; or the tables of a database, `postgres://USER@HOST/DATABASE`.',
      ),
    format: z
      .enum(['lake', 'sqlite', 'csv', 'parquet'], 'must be lake, sqlite, csv or parquet')
      .default('lake')
      .describe(
        'A `lake` of Parquet files, of which only what changed is written; or a snapshot (`sqlite`, `csv`, `parquet`), which is replaced as a whole. A database has none of these.',
      ),
    lab: z
      .string('must be a name')
      .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'may have only letters, digits, dots, - and _')
      .default('lab')
      .describe('The name of the lab in a lake, which several labs may share, or of its schema in a database.'),
    after: z
      .enum(['sync', 'never'], 'must be sync or never')
      .default('sync')
      .describe(
        'When the daemon publishes: `sync`, after each sync or erasure that changed something; or `never`, so that only `hsw publish` does.',
      ),
    every: duration('10s', '7d').prefault('5m').describe('The shortest time between two publications of the daemon.'),
    grace: duration('0s', '365d')
      .prefault('1h')
      .describe('How long former files of a lake stay for those who are still reading them.'),
  })
    .superRefine(({ to, format }, context) => {
      if (format !== 'lake' && to.includes('://'))
        context.addIssue({ code: 'custom', path: ['to'], message: 'must be a folder: a snapshot cannot be elsewhere' });
    })
    .optional();
}

/** The settings with an absolute folder. */
export function resolvePublish(settings: z.output<ReturnType<typeof publishSchema>>, path: string) {
  if (settings === undefined) return undefined;
  const { to, every, grace, ...rest } = settings;
  return { ...rest, to: to.includes('://') ? to : resolve(dirname(path), to), everyMs: every, graceMs: grace };
}
