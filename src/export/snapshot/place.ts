import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { WarehouseError } from '../../shared/errors.ts';
import { createPrivate, makeFolder, refuseUnsafe } from '../../shared/private-files.ts';
import { readManifest } from './manifest.ts';
import { strangersIn, syncFolder } from './files.ts';

/**
 * Builds a folder beside its final name and gives it that name when it is complete, so that there is either the former
 * one or the new one, never half of one. What a kill left is cleared away the next time.
 */
export async function buildFolder<T>(target: string, build: (draft: string) => Promise<T>): Promise<T> {
  const path = resolve(target);
  makeFolder(dirname(path));
  const site = join(dirname(path), `.${basename(path)}.part`);
  refuseUnsafe(site + '-');
  const lock = claimSite(site);
  try {
    clearSite(site, path);
    refuseOthers(path);
    const draft = join(site, 'new');
    makeFolder(draft);
    const built = await build(draft);
    syncFolder(draft);
    if (existsSync(path)) renameSync(path, join(site, 'former'));
    renameSync(draft, path);
    syncFolder(dirname(path));
    return built;
  } finally {
    lock.close();
    rmSync(site, { recursive: true, force: true });
  }
}

/** Makes this process the only one that builds there, until it ends, however it ends. */
function claimSite(site: string): { close: () => void } {
  makeFolder(site);
  const file = join(site, 'lock');
  createPrivate(file);
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return { close: () => void db.close() };
  } catch (cause) {
    db.close();
    throw new WarehouseError('WAREHOUSE_BUSY', `Another hyperstudy-warehouse is writing ${site} right now.`, {
      hint: 'Wait until it has finished, or choose another name.',
      cause,
    });
  }
}

/** A kill between the two renames leaves the former folder there. */
function clearSite(site: string, path: string): void {
  const former = join(site, 'former');
  if (existsSync(former) && !existsSync(path)) renameSync(former, path);
  for (const name of readdirSync(site)) if (!name.startsWith('lock')) rmSync(join(site, name), { recursive: true });
}

/** @throws WarehouseError USAGE where something has that name that is not, or not only, a snapshot. */
function refuseOthers(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const hint = 'Move it away, or choose another name. Nothing was changed.';
  if (!stat.isDirectory()) throw new WarehouseError('USAGE', `${path} already exists and is not a folder.`, { hint });
  if (readdirSync(path).length === 0) return;
  const manifest = readManifest(path);
  const others = strangersIn(path, manifest.files);
  if (others.length > 0)
    throw new WarehouseError(
      'USAGE',
      `${path} contains what is not part of a snapshot: ${others.slice(0, 3).join(', ')}.`,
      {
        hint,
      },
    );
}
