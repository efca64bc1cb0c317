import { count, counted } from '../../shared/count.ts';
import { timeText } from '../codebook/words.ts';
import type { Certificate, CertifiedData } from './certificate.ts';

/** The sentences of a certificate, as the page and the command say them. */

export function titleOf({ experiment: { id, name } }: Certificate): string {
  return name ?? id;
}

/** How it is known that all records of a data type are there. */
export function proofOf({ isComplete, comparedAt, countedAt, dataAsOf }: CertifiedData): string {
  if (!isComplete) return 'may be incomplete';
  if (comparedAt !== null && (countedAt === null || comparedAt >= countedAt)) return compared(comparedAt);
  if (countedAt === null) return dataAsOf === null ? 'never read' : `read to its end on ${timeText(dataAsOf)}`;
  const counts = `as many as the API counted on ${timeText(countedAt)}`;
  return comparedAt === null ? counts : `${counts}; ${compared(comparedAt)}`;
}

function compared(at: string): string {
  return `every record compared with the API on ${timeText(at)}`;
}

/** What happened to records after they were first read. */
export function changesOf({ changed, deleted, quarantined, erased }: CertifiedData): string {
  const parts = [
    changed.rows === 0 ? '' : `${count(changed.rows)} changed upstream${lastOf(changed)}`,
    deleted.rows === 0 ? '' : `${count(deleted.rows)} deleted upstream${lastOf(deleted)}`,
    quarantined === 0 ? '' : `${count(quarantined)} kept in quarantine`,
    erased === 0 ? '' : `${counted(erased, 'record')} of erased people not kept`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function lastOf({ last }: CertifiedData['changed']): string {
  return last === null ? '' : `, last on ${last.slice(0, 10)}`;
}

/** What is not in the warehouse although nothing went wrong. */
export function notesOf({ unreadable, unasked }: Certificate): string[] {
  return [
    ...(unreadable.length === 0 ? [] : [`The key may not read: ${unreadable.join(', ')}.`]),
    ...(unasked.length === 0 ? [] : [`Not asked for: ${unasked.join(', ')}.`]),
  ];
}

export const HOW_CHECKED =
  'The digests are those of the records as the API sent them, whatever their order. hsw certify --check compares them with a warehouse.';
