import { describe, expect, it } from 'vitest';
import { daemonLife } from './daemon-life.ts';

/** A short version of `npm run daemon-life`: hours of storm, then one calm night, in which small streams are read whole. */
const SHORT = { days: 0.25, rest: 0.75, pageSize: 1000 };

describe.each([
  [1, 'an ordinary API', false],
  [2, 'an ordinary API', false],
  [4, 'an API that behaves oddly', true],
])('a day of the daemon (seed %i, %s)', (seed, _api, odd) => {
  it('ends with every table equal to the API, whatever the network did, and within the limits', async () => {
    const life = await daemonLife({ ...SHORT, seed, odd });
    expect(life.violations).toEqual([]);
    expect(life.faults).toBeGreaterThan(10);
    expect(life.restarts).toBeGreaterThan(1);
    expect(life.mostAnHour).toBeLessThanOrEqual(900);
    // Each try of one request is repeated a few times, ever more seldom, up to five minutes apart.
    expect(life.inOutage).toBeLessThan(100 * life.outageHours);
  });
});
