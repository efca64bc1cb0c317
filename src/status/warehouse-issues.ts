import { CLOSE_READERS, TOO_LARGE_BYTES } from '../warehouse/wal.ts';
import type { Issue } from './issue.ts';
import type { Snapshot } from './snapshot.ts';

/** What is wrong with the file and its disk. */
export function warehouseIssues({ warehouse, leastFree }: Snapshot): Issue[] {
  return [...diskIssues({ ...warehouse, leastFree }), ...walIssues(warehouse)];
}

/** A disk that was nearly full counts as such until its free space is this many times the threshold. */
const DISK_RELIEF = 1.2;

/**
 * The rule for when a disk is nearly full.
 * @param leastFree the share of it, from 0 to 1, that should be free.
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
      text: `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} are free (${percent(freeBytes / totalBytes)}); alerts.diskFree is ${percent(leastFree)}.`,
      hint: 'Free some space, or move warehouse.path to a larger disk. If the disk fills up, a sync stops and nothing is lost.',
      ended: 'The disk of the warehouse has enough free space again',
      alert: 'at once',
      suppressed: freeBytes >= totalBytes * leastFree ? 'unknown' : undefined,
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
      text: `The write-ahead log of ${path} has grown to ${Math.round(walBytes / 1024 ** 2)} MB. First reads wait until that program closes the file or ends its transaction; new data are still read.`,
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
