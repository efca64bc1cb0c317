import { describe, expect, it } from 'vitest';
import { headOf, proofText } from '../../../src/status/words.ts';
import type { StreamView } from '../../../src/status/snapshot.ts';
import { NEVER_READ } from '../../../src/warehouse/positions.ts';
import { MINUTE_MS as MINUTE } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');

const stream = (change: Partial<StreamView>): StreamView => ({
  ...NEVER_READ,
  experimentId: 'exp_1',
  data: 'events',
  scope: 'experiment',
  standing: 'complete',
  isNamed: false,
  dataAsOf: NOW - MINUTE,
  ...change,
});
const head = (...standings: StreamView['standing'][]) =>
  headOf(
    standings.map((standing) => stream({ standing })),
    { isListWhole: true, isHalted: false },
  );

describe('the first line of the status', () => {
  it('has no tick where the key may not read some of the data', () => {
    expect(head('complete', 'complete')).toBe('✓ Complete: all 2 streams.');
    expect(head('complete', 'complete', 'skipped')).toBe(
      '! Complete as far as the key may read: all 2 streams. The key may not read 1 other.',
    );
  });
});

describe('how completeness is known', () => {
  it.each([
    [[], 'Nothing was read yet.'],
    [[stream({ dataAsOf: undefined })], 'Nothing was read yet.'],
    [[stream({})], 'No stream was compared record by record yet.'],
    [
      [stream({ verifiedAt: NOW - 3 * MINUTE, watermark: NOW - MINUTE }), stream({ verifiedAt: NOW })],
      '2 of 2 streams compared record by record, 3 min ago or later.\nNewest row: 2026-03-11 14:01 UTC.',
    ],
    [
      [stream({ verifiedAt: NOW - 3 * MINUTE }), stream({})],
      '1 of 2 streams compared record by record, 3 min ago or later, the others counted.',
    ],
  ])('is put into words (%#)', (streams, text) => {
    expect(proofText(streams, NOW)).toBe(text);
  });
});
