import { statfsSync } from 'node:fs';

/** The space of a disk, in bytes. */
export interface Disk {
  /** What this user can still write there. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The disk that holds a folder. @throws the filesystem's error if there is no such folder. */
export function diskOf(folder: string): Disk {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
