import { describe, expect, it } from 'vitest';
import { otherPages } from '../../../src/read/other-pages.ts';
import { repeatedDoubt } from '../../../src/warehouse/doubts.ts';
import { fakeStream, MINUTE } from '../../support/fake-stream.ts';

/** The page size of a reading that begins so much later, where a repeat waits for a second reading. */
function sizesOf(pageSize: number, doubts = [repeatedDoubt(1)]) {
  const fake = fakeStream('participants', {}, pageSize);
  fake.hold(fake.series(1, 3), { doubts });
  const session = fake.session();
  return (laterMs: number) => otherPages({ ...session, startedAt: session.startedAt + laterMs });
}

describe('the page size of a reading that shows exact repeats a second time', () => {
  it('is left as it is where no repeat waits', () => {
    expect(sizesOf(100, [])(0)).toBeUndefined();
  });

  it('is between half of the usual one and the usual one', () => {
    const sizeAfter = sizesOf(100);
    const sizes = Array.from({ length: 200 }, (_, i) => sizeAfter(i * 997) ?? 0);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it('differs from that of the reading a minute before, so that the pages begin at other places', () => {
    const sizeAfter = sizesOf(100);
    for (let minute = 0; minute < 60; minute++)
      expect(sizeAfter(minute * MINUTE)).not.toBe(sizeAfter((minute + 1) * MINUTE));
  });

  it('has room for another record beside the one that leads over from the page before', () => {
    expect(sizesOf(1)(0)).toBe(2);
  });
});
