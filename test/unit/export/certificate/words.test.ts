import { describe, expect, it } from 'vitest';
import type { CertifiedData } from '../../../../src/export/certificate/certificate.ts';
import { changesOf, proofOf } from '../../../../src/export/certificate/words.ts';

const NONE = { rows: 0, first: null, last: null };
const [MARCH, APRIL] = ['2026-03-12T03:10:00.000Z', '2026-04-01T09:00:00.000Z'];

function events(change: Partial<CertifiedData>): CertifiedData {
  return {
    data: 'events',
    table: 'events',
    rows: 2500,
    sha256: '',
    from: null,
    to: null,
    rooms: [],
    isComplete: true,
    dataAsOf: APRIL,
    comparedAt: null,
    countedAt: null,
    quarantined: 0,
    erased: 0,
    changed: NONE,
    deleted: NONE,
    ...change,
  };
}

describe('how records are known to be all', () => {
  it.each([
    ['incomplete', { isComplete: false, comparedAt: MARCH }, 'may be incomplete'],
    [
      'compared last',
      { comparedAt: APRIL, countedAt: MARCH },
      'every record compared with the API on 2026-04-01 09:00 UTC',
    ],
    ['counted', { countedAt: APRIL }, 'as many as the API counted on 2026-04-01 09:00 UTC'],
    [
      'counted after they were compared',
      { comparedAt: MARCH, countedAt: APRIL },
      'as many as the API counted on 2026-04-01 09:00 UTC; every record compared with the API on 2026-03-12 03:10 UTC',
    ],
    ['neither', {}, 'read to its end on 2026-04-01 09:00 UTC'],
    ['never read', { dataAsOf: null }, 'never read'],
  ])('is said where they are %s', (_, change, text) => {
    expect(proofOf(events(change))).toBe(text);
  });
});

describe('what happened to records', () => {
  it('is said with the last day', () => {
    const change = { rows: 2431, first: MARCH, last: APRIL };
    expect(changesOf(events({ changed: change, deleted: { ...change, rows: 3 }, quarantined: 1, erased: 2 }))).toBe(
      '2,431 changed upstream, last on 2026-04-01; 3 deleted upstream, last on 2026-04-01; 1 kept in quarantine; 2 records of erased people not kept',
    );
    expect(changesOf(events({}))).toBe('');
  });
});
