#!/usr/bin/env node
// Nothing above the check may load what needs a newer Node: better-sqlite3 crashes an old one without a word.
const NEEDED = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `✗ hyperstudy-warehouse needs Node.js ${NEEDED.join('.')} or newer, and this is ${process.versions.node}: install a newer one from https://nodejs.org, or run ./hsw in a checkout after npm ci, which brings its own.\n`,
  );
  process.exitCode = 2;
} else {
  // Before anything is loaded: a stack then shows the places in `src`.
  if (process.env['HSW_DEBUG'] === '1') process.setSourceMapsEnabled(true);
  // What no other line says anything about, such as SQLite's temporary files, is its owner's alone.
  process.umask(0o077);
  const { keepMemorySmall } = await import('./shared/memory.ts');
  keepMemorySmall();
  const { main } = await import('./cli/program.ts');
  process.exitCode = await main(process.argv, process);
}
