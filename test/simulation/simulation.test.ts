import { describe, expect, it } from 'vitest';
import { killCampaign } from './campaign.ts';
import { mutated, MUTANTS } from './mutants.ts';
import { simulate } from './simulate.ts';

/** The whole campaigns are `npm run simulation` and `npm run kill-test`. */
describe('the mirror', () => {
  it.each([1, 8, 15, 22, 29, 36, 50])(
    'equals the truth after weeks of faults, kills and odd readings (seed %i)',
    async (seed) => {
      const outcome = await simulate(seed);
      expect(outcome.violations).toEqual([]);
      expect(outcome.requests).toBeGreaterThan(0);
    },
  );

  it('equals the truth with another seed, and plays the same seed the same way again', async () => {
    const outcome = await simulate(43);
    expect(outcome.violations).toEqual([]);
    expect(await simulate(43)).toEqual(outcome);
  });

  it('survives kill -9 at any instant', { timeout: 120_000 }, async () => {
    const result = await killCampaign({ cycles: 8, seed: 3 });
    expect(result.violations).toEqual([]);
    expect(Object.values(result.kills).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
    expect(result.rows).toBeGreaterThan(0);
  });
});

it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'the safeguard that a mutant breaks is still in the source: %s',
  (_name, mutant) => {
    expect(mutated(mutant)).toContain(mutant.to);
  },
);
