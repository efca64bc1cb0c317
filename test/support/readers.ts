import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What researchers read the file with. */
const PACKAGES = [
  'pandas==3.1.1',
  'polars==2.1.0',
  'pyarrow==26.0.1',
  'connectorx==0.4.6',
  'adbc-driver-sqlite==1.13.0',
  'duckdb==1.5.5',
  'duckdb-extension-sqlite-scanner==1.5.5',
  'datasette==0.65.5',
  'matplotlib==3.11.2',
];
const VENV = join(tmpdir(), 'hyperstudy-warehouse-readers-2');
/** A Python that has them. */
export const READER_PYTHON = join(VENV, 'bin', 'python');

const run = (command: string, args: readonly string[]) => spawnSync(command, args, { timeout: 600_000 }).status === 0;
const imports = (python: string) =>
  existsSync(python) &&
  run(python, ['-c', 'import pandas, polars, connectorx, adbc_driver_sqlite, duckdb, datasette, matplotlib']);

/** Installs them in an environment of their own, or says why they cannot be installed. */
export function installReaders(): string | undefined {
  if (imports(READER_PYTHON)) return undefined;
  rmSync(VENV, { recursive: true, force: true });
  const draft = mkdtempSync(`${VENV}-`);
  // Another user reads with it too.
  chmodSync(draft, 0o755);
  const python = join(draft, 'bin', 'python');
  // That of the system first: one in a user's home may be closed to other users.
  const made =
    ['/usr/bin/python3', 'python3'].some((system) => run(system, ['-m', 'venv', '--clear', draft])) &&
    run(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...PACKAGES]) &&
    imports(python);
  // Made as a whole or not at all: tests that need it at the same time must not find it half made.
  if (made && !existsSync(VENV)) renameSync(draft, VENV);
  rmSync(draft, { recursive: true, force: true });
  return made ? undefined : `python3 with venv and ${PACKAGES.join(', ')} from PyPI cannot be installed`;
}

/** What R lacks of some packages. */
export function lacksInR(...packages: readonly string[]): string | undefined {
  const missing = packages.filter((name) => !run('Rscript', ['-e', `library(${name})`]));
  return missing.length === 0 ? undefined : `R with ${missing.join(' and ')} is missing`;
}
