/**
 * `npm run build [-- --watch]`: `src` and the packages that it imports as few files, as loading six hundred modules took
 * most of the time of a short command. What only some commands need is in chunks that the others do not load.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, watch, type BuildOptions, type Plugin } from 'rolldown';

const TOP = join(import.meta.dirname, '..');
const DIST = join(TOP, 'dist');

/** A bundle can take the ES modules, whose loading one by one is what `shared/drizzle.ts` avoids. */
const drizzle: Plugin = {
  name: 'drizzle',
  transform: {
    filter: { id: /shared\/drizzle\.ts$/ },
    // Its lines stay where they are.
    handler: (code) => ({
      code: code.replaceAll('import type', 'import').replaceAll(/load\('[^']+'\) as typeof (\w+)/g, '$1'),
      map: null,
    }),
  },
};

const options: BuildOptions = {
  // The tests' fast clock replaces that of a daemon, and has to find it.
  input: { main: join(TOP, 'src/main.ts'), 'shared/clock': join(TOP, 'src/shared/clock.ts') },
  platform: 'node',
  // It finds its binary beside itself.
  external: ['better-sqlite3'],
  plugins: [drizzle],
  // Two levels deep as the files of `src` are: `shared/package.ts` counts on it.
  output: { dir: DIST, chunkFileNames: 'chunks/[name].js', sourcemap: true, sourcemapExcludeSources: true },
  onLog(level, log) {
    // bottleneck looks for redis by it, which we do not use.
    if (log.code === 'EVAL' && log.id?.includes('/bottleneck/') === true) return;
    throw new Error(`${level}: ${log.message}`);
  },
};

rmSync(DIST, { recursive: true, force: true });
if (process.argv.includes('--watch')) {
  watch(options).on('event', (event) => {
    if (event.code === 'ERROR') process.stderr.write(`${event.error.message}\n`);
    else if (event.code === 'BUNDLE_END') process.stdout.write(`built in ${event.duration} ms\n`);
  });
} else await build(options);
