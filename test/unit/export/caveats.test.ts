import { describe, expect, it } from 'vitest';
import { describeLacks } from '../../../src/export/caveats.ts';
import { NEVER_READ, type StoredPosition } from '../../../src/warehouse/positions.ts';

const read = (experimentId: string, change: Partial<StoredPosition> = {}): StoredPosition => ({
  ...NEVER_READ,
  experimentId,
  data: 'chat',
  scope: 'experiment',
  doubts: [],
  complete: true,
  reason: undefined,
  dataAsOf: 1e12,
  lastStatus: 'ok',
  ...change,
});

const NOTHING = { quarantined: 0, isWritten: false, issues: [] };

describe('an export', () => {
  it('says nothing of streams that are complete', () => {
    expect(describeLacks('chat', [read('e1'), read('e2')], NOTHING)).toEqual({ lines: [], isDoubtful: false });
  });

  it('says how many streams failed, which, and why: each reason once', () => {
    const failed = { complete: false, lastStatus: 'failed', reason: 'it did not answer in time.' };
    const { lines, isDoubtful } = describeLacks('chat', [read('e1', failed), read('e2', failed), read('e3')], NOTHING);
    expect(isDoubtful).toBe(true);
    expect(lines).toEqual([
      '2 of 3 streams of chat could not be read last time, so newer rows may be missing: e1, e2 (it did not answer in time).',
    ]);
  });

  it('says of quarantined records whether they were written', () => {
    const lines = (quarantined: number, isWritten: boolean) =>
      describeLacks('chat', [read('e1')], { ...NOTHING, quarantined, isWritten }).lines;
    expect(lines(1, false)[0]).toMatch(/^1 record of chat could not be stored as a row\. Write it too/);
    expect(lines(2, true)[0]).toMatch(/^2 records of chat could not be stored as rows\. They are written/);
  });

  it('names rows that are no longer configured, without a doubt of the others', () => {
    const left = read('e2', { complete: false, doubts: [{ kind: 'unconfigured', text: 'no longer configured' }] });
    const { lines, isDoubtful } = describeLacks('chat', [read('e1'), left], NOTHING);
    expect(isDoubtful).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/^The rows of 1 stream of chat .*: e2\.$/) as string]);
  });
});
