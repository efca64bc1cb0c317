import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { toPage } from '../../../src/read/page.ts';

const STREAM = { experimentId: 'e', dataset: datasetNamed('events'), scope: { kind: 'experiment' } } as const;

const answered = (records: number, limit: number) => {
  const data = Array.from({ length: records }, (_, i) => ({ id: `evt_${i}` }));
  const nothing = { warnings: [], pagination: undefined, echo: undefined, basis: undefined, serverTime: undefined };
  const answer = { data, metadata: {}, truncated: false, tries: 1, ...nothing };
  return toPage(STREAM, { answer, request: {}, limit, sent: { limit }, fill: undefined });
};

describe('an answer with more records than were requested', () => {
  it('is stored up to twice the largest page, and what is left is said', () => {
    const { rows, doubts, returned } = answered(25_000, 1000);
    expect([rows.length, returned]).toEqual([10_000, 25_000]);
    expect(doubts).toEqual([
      {
        kind: 'contradiction',
        text: 'the API sent 25,000 records where 1,000 were requested; the rest was not stored',
      },
    ]);
  });

  it('is stored whole where it is no larger than pages may be, or than twice what was requested', () => {
    expect(answered(10_000, 1000)).toMatchObject({ doubts: [], rows: { length: 10_000 } });
    expect(answered(12_000, 6000)).toMatchObject({ doubts: [], rows: { length: 12_000 } });
  });
});
