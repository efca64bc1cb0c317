import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const QUICK = ['unit', 'integration', 'fault'].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    // Only what hangs takes as long, also on a machine that is busy with many other things.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Many tests wait for real processes most of their time.
    maxWorkers: Math.max(3, availableParallelism()),
    // A second, the default, is little on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      // Each of these tests cleans up after itself, so that files share a process and load the modules once.
      { extends: true, test: { name: 'quick', include: QUICK, isolate: false } },
      { extends: true, test: { name: 'rest', include: ['test/**/*.test.ts'], exclude: QUICK } },
      { extends: true, test: { name: 'matrix', include: ['test/fault/matrix.test.ts'], env: { HSW_MATRIX: 'other' } } },
    ],
  },
});
