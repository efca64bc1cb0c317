import { statfsSync } from 'node:fs';

/** Bytes of a disk. */
export interface Disk {
  /** What this user can still write there. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The disk that holds a folder. @throws the filesystem's error where there is no such folder. */
export function diskOf(folder: string): Disk {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
