import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { denormalise } from '../../src/datasets/normalise.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { beginDigest } from '../../src/export/certificate/digest.ts';
import { folderStore } from '../../src/export/lake/folder-store.ts';
import { readLake, type LakeManifest, type Partition } from '../../src/export/lake/manifest.ts';
import { heldIn, heldNames } from '../../src/warehouse/held.ts';
import { formatTime } from '../../src/shared/time.ts';
import type { SqlValue } from '../../src/shared/sqlite.ts';

export const LAB = 'ours';

export async function manifestIn(root: string, lab = LAB): Promise<LakeManifest | undefined> {
  return (await readLake(folderStore(root), lab))?.manifest;
}

/** The files that a manifest names and that are not there as it says. */
export function filesThatDiffer(root: string, manifest: LakeManifest): string[] {
  return manifest.partitions
    .flatMap(({ files }) => files)
    .filter(({ path, sha256, bytes }) => {
      const content = contentOf(join(root, path));
      return content?.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256;
    })
    .map(({ path }) => path);
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The rows that the files of a partition hold. */
async function rowsOf(root: string, { files }: Partition): Promise<Record<string, unknown>[]> {
  const rows = [];
  for (const { path } of files) {
    const file = await asyncBufferFromFile(join(root, path));
    const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) };
    rows.push(...(await parquetReadObjects({ file, compressors })));
  }
  return rows;
}

/** The digest of a partition, computed from nothing but its files. */
export async function digestOfFiles(root: string, partition: Partition): Promise<string> {
  const dataset = DATASETS.find(({ table }) => table === partition.table);
  const digest = beginDigest();
  for (const row of await rowsOf(root, partition)) {
    const stored = (name: string) => storedValue(row[name]);
    digest.add(
      dataset === undefined
        ? Object.fromEntries(Object.keys(row).map((name) => [name, stored(name)]))
        : denormalise(dataset, {
            experimentId: String(stored('experiment_id')),
            ...heldIn(heldNames(dataset).map(stored)),
          }),
    );
  }
  return digest.end().sha256;
}

/** A value as SQLite has it. */
function storedValue(value: unknown): SqlValue {
  if (value instanceof Date) return formatTime(value.getTime());
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}
