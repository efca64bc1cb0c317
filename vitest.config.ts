import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Many tests wait for real processes most of their time.
    maxWorkers: Math.max(3, availableParallelism()),
    // A second, the default, is little on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
});
