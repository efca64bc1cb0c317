import { existsSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';

/**
 * Says that others can read the secrets in the configuration, with the command that fixes it; undefined when they
 * cannot.
 * @param me the current user; a file of another user, read through its group, may stay open to that group.
 */
export function exposedSecrets(
  { path, inlineSecrets, warehouse }: Pick<Config, 'path' | 'inlineSecrets' | 'warehouse'>,
  me = process.getuid?.() ?? 0,
): string | undefined {
  const { mode, uid } = statSync(path);
  const isOwn = me !== 0 && uid === me;
  if (inlineSecrets.length === 0 || (mode & (isOwn ? 0o044 : 0o004)) === 0) return undefined;
  // The warehouse belongs to the group of the user that runs the service.
  const { gid = 0 } = lookAt(dirname(warehouse.path)) ?? {};
  const file = shellWord(path);
  const command = isOwn || gid === 0 ? `chmod 600 ${file}` : `chgrp ${gid} ${file} && chmod 640 ${file}`;
  return `${path} holds ${inlineSecrets.join(' and ')}, and others can read it. Run: ${command}`;
}

/** Says that everyone can read or change the data, with the command that fixes it; undefined if they cannot. */
export function openFolder(warehouse: string): string | undefined {
  const folder = dirname(warehouse);
  if (!existsSync(folder) || !isReachable(realpathSync(folder))) return undefined;
  const folderMode = lookAt(folder)?.mode ?? 0;
  const fileMode = lookAt(warehouse)?.mode ?? 0;
  // SQLite creates the files beside the warehouse with the warehouse's mode.
  const files = `${shellWord(warehouse)}*`;
  if ((folderMode & 0o1002) === 0o002)
    return `everyone on this computer can replace the data in ${folder}. Run: chmod o-w ${shellWord(folder)}`;
  if ((fileMode & 0o002) !== 0) return `everyone on this computer can change the data. Run: chmod o-rw ${files}`;
  if ((fileMode & 0o004) !== 0)
    return `everyone on this computer can read the data. Run: chmod o-r ${files} (a group can still have access)`;
  return undefined;
}

/** Says that files of the warehouse belong to a different user than its folder, with the command that fixes it. */
export function foreignFiles(warehouse: string): string | undefined {
  const folder = dirname(warehouse);
  const owner = lookAt(folder)?.uid ?? 0;
  const isStrange = (file: string) => owner !== 0 && (lookAt(file)?.uid ?? owner) !== owner;
  if (!['', '-wal', '-shm', '.lock'].some((suffix) => isStrange(warehouse + suffix))) return undefined;
  return `some files in ${folder} do not belong to the folder's owner, who may not be able to write them. Run: chown --reference=${shellWord(folder)} ${shellWord(warehouse)}*`;
}

/** Whether everyone can get into a folder. */
function isReachable(folder: string): boolean {
  const canEnter = ((lookAt(folder)?.mode ?? 0) & 0o001) !== 0;
  return canEnter && (dirname(folder) === folder || isReachable(dirname(folder)));
}

function lookAt(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** A path quoted as one word of a command line. */
function shellWord(path: string): string {
  return /^[\w/.+@%-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
