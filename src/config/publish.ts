import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { duration, group } from './fields.ts';

/** What is published of the warehouse by itself, and where. */
export function publishSchema() {
  return group({
    to: z
      .string('must be a folder, or s3://BUCKET/FOLDER')
      .min(1, 'must be a folder, or s3://BUCKET/FOLDER')
      .refine(
        (text) => !text.includes('://') || /^s3:\/\/[a-z0-9][a-z0-9.-]+[a-z0-9](\/[^?#@]*)?$/.test(text),
        'must be a folder, or s3://BUCKET/FOLDER; keys belong in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)',
      )
      .describe(
        'Where it is kept: a folder, relative to that of the configuration file, or for a lake also `s3://BUCKET/FOLDER`.',
      ),
    format: z
      .enum(['lake', 'sqlite', 'csv', 'parquet'], 'must be lake, sqlite, csv or parquet')
      .default('lake')
      .describe(
        'A `lake` of Parquet files, of which only what changed is written; or a snapshot (`sqlite`, `csv`, `parquet`), which is replaced as a whole.',
      ),
    lab: z
      .string('must be a name')
      .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'may have only letters, digits, dots, - and _')
      .default('lab')
      .describe('The name of the lab in a lake, which several labs may share.'),
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
      if (format !== 'lake' && to.startsWith('s3://'))
        context.addIssue({ code: 'custom', path: ['to'], message: 'must be a folder: only a lake can be in a bucket' });
    })
    .optional();
}

/** The settings with an absolute folder. */
export function resolvePublish(settings: z.output<ReturnType<typeof publishSchema>>, path: string) {
  if (settings === undefined) return undefined;
  const { to, every, grace, ...rest } = settings;
  const isBucket = to.startsWith('s3://');
  return { ...rest, to: isBucket ? to : resolve(dirname(path), to), everyMs: every, graceMs: grace };
}
