import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const QUICK = ['unit', 'integration', 'fault'].map((folder) => `test/${folder}/**/*.test.ts`);

/** What takes longest comes first, so that no single file is left running alone at the end. Vitest knows no durations in CI. */
const LONG = [
  'simulation/simulation',
  'simulation/daemon-life',
  'interop/clients',
  'cli/commands',
  'integration/hostile-answers',
  'daemon/engine',
  'daemon/tick',
].map((name) => `/test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    // Only what hangs takes as long, also on a machine that is busy with many other things.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // The program is compiled once, and not by each of the hundreds of processes that tests start.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    sequence: { sequencer: LongestFirst },
    // Many tests wait for real processes most of their time.
    maxWorkers: Math.max(4, availableParallelism()),
    // A second, the default, is little on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      // Each test cleans up after itself, so that files share a process and load the modules once.
      { extends: true, test: { name: 'quick', include: QUICK, isolate: false } },
      { extends: true, test: { name: 'rest', include: ['test/**/*.test.ts'], exclude: QUICK, isolate: false } },
      { extends: true, test: { name: 'matrix', include: ['test/fault/matrix.test.ts'], env: { HSW_MATRIX: 'other' } } },
    ],
  },
});
