/** The peers, in a Python environment of the bench's own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PACKAGES = ['hyperstudy==0.4.1', 'pandas', 'sqlite-utils', 'dlt[duckdb,sqlalchemy]', 'pyarrow'];
const SHOWN = /^(hyperstudy|pandas|sqlite-utils|dlt|duckdb|pyarrow)==(.*)$/gim;

/** The interpreter, and the versions of what it has; or why it cannot be had. */
export type Python =
  { readonly python: string; readonly versions: Readonly<Record<string, string>> } | { readonly missing: string };

export function installPeers(folder: string): Python {
  const run = (command: string, ...args: readonly string[]) =>
    spawnSync(command, args, { encoding: 'utf8', timeout: 600_000 });
  const python = join(folder, 'bin', 'python');
  if (run('python3', '-m', 'venv', folder).status !== 0) return { missing: 'python3 with venv is missing' };
  const installed = run(python, '-m', 'pip', 'install', '--quiet', ...PACKAGES);
  if (installed.status !== 0) return { missing: 'the packages cannot be installed from PyPI' };
  const frozen = run(python, '-m', 'pip', 'list', '--format=freeze').stdout;
  const versions = Object.fromEntries(
    [...frozen.matchAll(SHOWN)].map(([, name = '', version = '']) => [name, version]),
  );
  const own = run(python, '--version').stdout.replace('Python ', '').trim();
  const sqlite = run(python, '-c', 'import sqlite3; print(sqlite3.sqlite_version)').stdout.trim();
  return { python, versions: { python: own, 'sqlite of python': sqlite, ...versions } };
}
