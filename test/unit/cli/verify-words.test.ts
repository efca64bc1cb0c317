import { describe, expect, it } from 'vitest';
import { closing, verdictLine } from '../../../src/cli/verify-words.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Verdict, VerifyResult } from '../../../src/sync/verify.ts';

const EQUAL: Verdict = {
  experiment: 'e1',
  data: 'chat',
  status: 'equal',
  proof: 'counts',
  rows: 1200,
  quarantined: 0,
  missing: [],
  changed: [],
  extra: [],
  newer: [],
  requests: 1,
};
const STREAM = { experimentId: 'e1', dataset: datasetNamed('chat'), scope: { kind: 'experiment' } } as const;
const line = (change: Partial<Verdict>, isRepair = false) => verdictLine(STREAM, { ...EQUAL, ...change }, isRepair);

describe('the line of hsw verify about a stream', () => {
  it.each<[string, Partial<Verdict>, boolean, string]>([
    ['counts the rows', {}, false, '1,200 rows, as many as the API counts'],
    ['says that every record was compared', { proof: 'content' }, false, '1,200 rows, every record compared'],
    ['counts one row', { rows: 1 }, false, '1 row, as many as the API counts'],
    [
      'counts what is in quarantine',
      { quarantined: 1 },
      false,
      '1,200 rows and 1 record in quarantine, as many as the API counts',
    ],
    [
      'counts a record that came after the last sync, which is no difference',
      { newer: ['m1'] },
      false,
      '1,200 rows and 1 record newer than the last sync, as many as the API counts',
    ],
    [
      'counts records that came after the last sync beside those in quarantine',
      { quarantined: 2, newer: ['m1', 'm2'] },
      false,
      '1,200 rows and 2 records in quarantine and 2 records newer than the last sync, as many as the API counts',
    ],
    [
      'says after a repair that what came after the last sync is among the rows',
      { newer: ['m1', 'm2'] },
      true,
      '1,200 rows, as many as the API counts; 2 records newer than the last sync stored now',
    ],
    [
      'says so in the singular too',
      { newer: ['m1'] },
      true,
      '1,200 rows, as many as the API counts; 1 record newer than the last sync stored now',
    ],
  ])('%s', (_what, change, isRepair, words) => {
    expect(line(change, isRepair)).toBe(`✓ chat of e1: ${words}`);
  });

  it('names what differs apart from what came after the last sync', () => {
    const newer = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
    expect(line({ status: 'different', missing: ['m1'], newer })).toBe(
      '✗ chat of e1: 1 missing (m1), 6 newer than the last sync (n1, n2, n3, n4, n5, …)',
    );
    expect(line({ status: 'repaired', changed: ['m1', 'm2'], extra: ['m3'] }, true)).toBe(
      '✓ chat of e1: 2 changed (m1, m2), 1 extra (m3); repaired',
    );
  });

  it('says why nothing could be proven', () => {
    expect(line({ status: 'unknown', reason: 'the API does not say how many' })).toBe(
      '✗ chat of e1: the API does not say how many',
    );
  });
});

describe('the last lines of hsw verify', () => {
  const RESULT = {
    at: '2026-01-12T09:00:00.000Z',
    requests: 1,
    durationMs: 1000,
    streams: [EQUAL],
    issues: [],
    derived: [],
  };
  const last = (change: Partial<VerifyResult>, isRepair = false) => closing({ ...RESULT, ...change }, isRepair);

  it('say how many streams are equal, and that a repair is possible only where something differs', () => {
    expect(last({})).toContain('1 stream equal, 0 different, 0 repaired, 0 not proven; 1 request in ');
    expect(last({})).not.toContain('--repair');
    expect(last({ streams: [{ ...EQUAL, status: 'different' }] })).toContain('Repair with: hsw verify --repair');
  });

  it('say that nothing was verified where no stream is known', () => {
    expect(last({ streams: [] })).toContain('✗ Nothing was verified: no stream is known.');
  });
});
