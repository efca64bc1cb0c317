import { count, counted } from '../../shared/count.ts';
import type { Certificate, CertifiedData } from './certificate.ts';

/** How the records of one data type compare with those of a certificate. */
export interface Compared {
  readonly data: string;
  readonly isSame: boolean;
  readonly then: number | undefined;
  readonly now: number | undefined;
  /** One sentence without a full stop. */
  readonly text: string;
}

/** Compares a certificate with what the warehouse holds now, data type by data type. */
export function compareCertificates(then: Certificate, now: Certificate): Compared[] {
  const names = [...new Set([...then.data, ...now.data].map(({ data }) => data))];
  return names.map((data) => {
    const [before, after] = [then, now].map((one) => one.data.find((part) => part.data === data));
    return {
      data,
      isSame: before !== undefined && before.sha256 === after?.sha256,
      then: before?.rows,
      now: after?.rows,
      text: textOf(before, after, then.madeAt),
    };
  });
}

function textOf(then: CertifiedData | undefined, now: CertifiedData | undefined, madeAt: string): string {
  if (then === undefined) return `not certified, ${counted(now?.rows ?? 0, 'record')} now`;
  if (now === undefined) return `${counted(then.rows, 'record')} certified, not read any more`;
  if (then.sha256 === now.sha256) return `the same ${counted(then.rows, 'record')}`;
  const rows =
    then.rows === now.rows
      ? `still ${counted(now.rows, 'record')}, with other content`
      : `${counted(now.rows, 'record')} now, ${count(then.rows)} certified`;
  const since = [happened(now.changed, 'changed', madeAt), happened(now.deleted, 'deleted', madeAt)].filter(
    (part) => part !== '',
  );
  return since.length === 0 ? rows : `${rows}; rows were ${since.join(' and ')} upstream since`;
}

/** Whether something went on upstream after the certificate was made; how often, only the history says. */
function happened({ last }: CertifiedData['changed'], what: string, madeAt: string): string {
  return last !== null && last > madeAt ? what : '';
}
