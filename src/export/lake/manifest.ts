import { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json.ts';
import { ACCOUNTED, BOOLEAN } from '../accounted.ts';
import type { Store } from './store.ts';

/** A file of a partition, by its place below the root of the lake. */
const File = z.object({
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int(),
  rows: z.number().int(),
});
export type LakeFile = z.infer<typeof File>;

/** The rows of one table of one experiment. */
const Partition = z.object({
  table: z.string(),
  experiment: z.string(),
  rows: z.number().int(),
  /** SHA-256 over the records; that of a data type is the one of its certificate, computed from the SQLite file. */
  digest: z.string(),
  /** How many columns it has, and a hash of their names and types: later files have further ones after these. */
  width: z.number().int(),
  columns: z.string(),
  /** Changes when the warehouse may have changed any of it. */
  mark: z.string(),
  files: z.array(File),
});
export type Partition = z.infer<typeof Partition>;

const LakeColumn = z.object({
  name: z.string(),
  type: z.string(),
  unit: z.string().optional(),
  description: z.string(),
  missing: z.string(),
});

const LakeTable = z.object({
  name: z.string(),
  description: z.string(),
  columns: z.array(LakeColumn),
  primaryKey: z.array(z.string()),
});
export type LakeTable = z.infer<typeof LakeTable>;

/** What is known of one stream. */
export const LakeStream = z.object({
  experiment: z.string(),
  data: z.string(),
  table: z.string(),
  scope: z.string(),
  complete: BOOLEAN,
  reason: z.string().nullable(),
  ...ACCOUNTED,
});
export type LakeStream = z.infer<typeof LakeStream>;

/** A file that no manifest names any more, and from when on it may be removed. */
const Dropped = z.object({ path: z.string(), until: z.string() });
export type Dropped = z.infer<typeof Dropped>;

const Manifest = z.object({
  lake: z.literal(1),
  product: z.string(),
  lab: z.string(),
  published: z.string(),
  complete: z.boolean(),
  /** A sentence for each thing that the data may lack. */
  lacks: z.array(z.string()),
  /** Data types that the key of the lab may not read. */
  unreadable: z.array(z.string()),
  /** How many erasures the data have gone through. */
  erasures: z.number().int(),
  tables: z.array(LakeTable),
  partitions: z.array(Partition),
  streams: z.array(LakeStream),
  dropped: z.array(Dropped),
});
export type LakeManifest = z.infer<typeof Manifest>;

/** A manifest as it is in a store. */
export interface Published {
  readonly manifest: LakeManifest;
  readonly version: string;
}

/** Where the files of a lab are, below the root of the lake. */
export function labFolder(lab: string): string {
  return `lab=${lab}`;
}

export function manifestName(lab: string): string {
  return `${labFolder(lab)}/manifest.json`;
}

/** The manifest of a lab; undefined where it has published nothing yet. @throws WarehouseError USAGE for another file. */
export async function readLake(store: Store, lab: string): Promise<Published | undefined> {
  const stored = await store.read(manifestName(lab));
  if (stored === undefined) return undefined;
  const { data: manifest, error } = Manifest.safeParse(jsonOrUndefined(stored.text));
  if (manifest !== undefined) return { manifest, version: stored.version };
  throw new WarehouseError('USAGE', `${manifestName(lab)} in ${store.place} is not the manifest of a lake.`, {
    hint: 'Name another place with --to, or another name with --lab. Nothing was changed.',
    cause: error,
  });
}

function jsonOrUndefined(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** One partition a line, as there may be thousands. */
export function manifestText(manifest: LakeManifest): string {
  const member = ([name, value]: readonly [string, unknown]) => {
    if (!Array.isArray(value) || value.length === 0) return `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
    return `${JSON.stringify(name)}: [\n${value.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n ]`;
  };
  return `{\n ${Object.entries(manifest).map(member).join(',\n ')}\n}\n`;
}
