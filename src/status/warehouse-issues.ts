import { CLOSE_READERS, TOO_LARGE_BYTES } from '../warehouse/wal.ts';
import type { Issue } from './issue.ts';
import type { Snapshot } from './snapshot.ts';

/** What is wrong with the file and its disk. */
export function warehouseIssues({ warehouse, leastFree }: Snapshot): Issue[] {
  return [...diskIssues({ ...warehouse, leastFree }), ...walIssues(warehouse)];
}

/** A disk that was short of space counts as such until it has this much more than the threshold. */
const DISK_RELIEF = 1.2;

/**
 * The one rule of when a disk is nearly full.
 * @param leastFree the share of it, from 0 to 1, that is to be free.
 */
export function diskIssues({
  freeBytes,
  totalBytes,
  leastFree,
}: Pick<Snapshot['warehouse'], 'freeBytes' | 'totalBytes'> & Pick<Snapshot, 'leastFree'>): Issue[] {
  if (totalBytes <= 0 || freeBytes >= totalBytes * leastFree * DISK_RELIEF) return [];
  return [
    {
      id: 'disk',
      code: 'DISK_LOW',
      severity: 'warning',
      since: undefined,
      scope: {},
      subject: 'The disk of the warehouse is nearly full',
      text: `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} are free, ${percent(freeBytes / totalBytes)}; alerts.diskFree asks for ${percent(leastFree)}.`,
      hint: 'Free some space, or move warehouse.path to a larger disk. A sync that finds the disk full stops and loses nothing.',
      ended: 'The disk of the warehouse has room again',
      alert: 'at once',
      hush: freeBytes >= totalBytes * leastFree ? 'unknown' : undefined,
    },
  ];
}

function walIssues({ path, walBytes }: Snapshot['warehouse']): Issue[] {
  if (walBytes <= TOO_LARGE_BYTES) return [];
  return [
    {
      id: 'wal',
      code: 'WAL_LARGE',
      severity: 'warning',
      since: undefined,
      scope: {},
      subject: 'A program keeps reading the warehouse without a break',
      text: `The write-ahead log of ${path} has grown to ${Math.round(walBytes / 1024 ** 2)} MB. First reads wait until that program closes the file or ends its transaction; new data still come in.`,
      hint: CLOSE_READERS,
      ended: 'The write-ahead log is small again',
      alert: 'never',
    },
  ];
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
