import { lchownSync, type Stats } from 'node:fs';

/**
 * Gives a file that this process has just created to a user, if this process is root: a sync that root runs by hand
 * must leave nothing that the warehouse's owner, mostly the service, cannot write. By name, as closing a descriptor
 * would drop SQLite's locks; and never the target of a link, as the folder may be that user's.
 */
export function giveTo({ uid, gid }: Pick<Stats, 'uid' | 'gid'>, file: string): void {
  if (process.geteuid?.() === 0 && uid !== 0) lchownSync(file, uid, gid);
}
