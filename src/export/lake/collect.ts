import { DAY_MS, parseTime } from '../../shared/time.ts';
import { labFolder, manifestName, type LakeManifest } from './manifest.ts';
import type { Store } from './store.ts';

/**
 * Files that no manifest names or has dropped, which publications left that were killed, are removed when they are so
 * old. Half of it is the time in which the next publication may still take one for its own.
 */
export const ORPHAN_MS = DAY_MS;

/** Removes what is no longer published, and gives how many files these were. */
export async function collect(store: Store, manifest: LakeManifest, now: number): Promise<number> {
  const isDue = new Set(manifest.dropped.filter(({ until }) => (parseTime(until) ?? 0) <= now).map(({ path }) => path));
  const known = new Set([
    manifestName(manifest.lab),
    ...manifest.dropped.map(({ path }) => path),
    ...manifest.partitions.flatMap(({ files }) => files.map(({ path }) => path)),
  ]);
  const found: string[] = [];
  for await (const { name, at } of store.list(labFolder(manifest.lab)))
    if (isDue.has(name) || (!known.has(name) && now - at > ORPHAN_MS)) found.push(name);
  if (found.length > 0) await store.remove(found);
  return found.length;
}
