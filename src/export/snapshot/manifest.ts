import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json.ts';
import { ACCOUNTED, BOOLEAN } from '../accounted.ts';

/** The same document under two names: ours, and the one that tools for Frictionless data packages look for. */
export const MANIFEST_NAMES = ['manifest.json', 'datapackage.json'] as const;

const Field = z.object({
  name: z.string(),
  /** In the words of Frictionless: string, integer, number, boolean, datetime. */
  type: z.string(),
  description: z.string(),
  /** What it means that there is no value. */
  missing: z.string(),
  unit: z.string().optional(),
  constraints: z.object({ required: z.literal(true) }).optional(),
  trueValues: z.array(z.string()).optional(),
  falseValues: z.array(z.string()).optional(),
  decimalChar: z.string().optional(),
});
export type Field = z.infer<typeof Field>;

const Schema = z.object({
  fields: z.array(Field),
  primaryKey: z.array(z.string()).optional(),
  missingValues: z.array(z.string()).optional(),
});
export type Schema = z.infer<typeof Schema>;

const FileOf = {
  name: z.string(),
  path: z.string().regex(/^(?:data\/)?(?!\.{1,2}$)[^/\\]+$/, 'must be the name of a file in the folder'),
  description: z.string(),
  format: z.enum(['sqlite', 'csv', 'parquet']),
  mediatype: z.string(),
  bytes: z.number().int(),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
};

/** A file with one table. */
const TableFile = z.object({
  ...FileOf,
  encoding: z.string().optional(),
  dialect: z.object({ delimiter: z.string(), lineTerminator: z.string() }).optional(),
  rows: z.number().int(),
  schema: Schema,
});
/** A file with several. */
const TablesFile = z.object({
  ...FileOf,
  tables: z.array(z.object({ name: z.string(), description: z.string(), rows: z.number().int(), schema: Schema })),
});
/** A file without any, about the others. */
const TextFile = z.object({ ...FileOf, format: z.enum(['json', 'markdown']) });
const Resource = z.union([TableFile, TablesFile, TextFile]);
export type Resource = z.infer<typeof Resource>;

/** What is known of the data of one type of one experiment, of all its streams together. */
export const Account = z.object({
  experiment: z.string(),
  data: z.string(),
  streams: z.number(),
  complete: BOOLEAN,
  ...ACCOUNTED,
});
export type Account = z.infer<typeof Account>;

const Manifest = z.object({
  profile: z.literal('data-package'),
  name: z.string(),
  title: z.string(),
  description: z.string(),
  created: z.string(),
  resources: z.array(Resource),
  hyperstudy: z.object({
    product: z.literal('HyperStudy Warehouse'),
    version: z.string(),
    schemaVersion: z.string(),
    options: z.record(z.string(), z.unknown()),
    experiments: z.array(z.string()),
    complete: z.boolean(),
    /** A sentence for each thing that the data may lack. */
    lacks: z.array(z.string()),
    /** Data types that the key of the lab may not read, so that nothing of them is in it. */
    unreadable: z.array(z.string()).default([]),
    accounting: z.array(Account),
    /** Views that are not in it, as they show what is not in it. */
    withoutViews: z.array(z.string()),
    /** What became of each column of a snapshot that was de-identified. */
    deidentified: z
      .array(
        z.object({
          table: z.string(),
          column: z.string(),
          privacy: z.string(),
          treatment: z.enum(['kept', 'pseudonyms', 'onsets', 'dropped']),
        }),
      )
      .optional(),
  }),
});
export type Manifest = z.infer<typeof Manifest>;

/** The manifest of a snapshot, and the names of all its files. @throws WarehouseError USAGE for what is no snapshot. */
export function readManifest(folder: string): Manifest & { readonly files: readonly string[] } {
  const path = join(folder, MANIFEST_NAMES[0]);
  const none = (why: string, cause?: unknown) =>
    new WarehouseError('USAGE', `${folder} is not a snapshot: ${why}.`, {
      hint: 'Name the folder that `hsw snapshot` wrote.',
      cause,
    });
  if (!existsSync(path)) throw none(`it has no ${MANIFEST_NAMES[0]}`);
  let text: unknown;
  try {
    text = parseJson(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw none(`its ${MANIFEST_NAMES[0]} cannot be read`, cause);
  }
  const { data: manifest, error } = Manifest.safeParse(text);
  if (manifest === undefined) throw none(`its ${MANIFEST_NAMES[0]} is of another kind`, error);
  return { ...manifest, files: [...MANIFEST_NAMES, ...manifest.resources.map((resource) => resource.path)] };
}

/** The tables of a file, whichever form it has. */
export function tablesOfFile(
  resource: Resource,
): readonly { readonly name: string; readonly rows: number; readonly schema: Schema }[] {
  if ('tables' in resource) return resource.tables;
  return 'schema' in resource ? [resource] : [];
}
