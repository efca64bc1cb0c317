import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

it('a sync loses nothing and never crashes on arbitrary answers (the whole campaign: npm run fuzz)', async () => {
  const result = await fuzz({ cases: 3000, seed: 1 });
  expect(result.records).toBeGreaterThan(1000);
  expect(result.quarantined).toBeGreaterThan(10);
  expect(result.refused).toBeGreaterThan(10);
});
