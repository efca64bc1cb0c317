import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = 'frictionless==5.21.0';
const VENV = join(tmpdir(), 'hyperstudy-warehouse-frictionless-1');
/** A Python that has it. */
const PYTHON = join(VENV, 'bin', 'python');

/** Installs it in an environment of its own, or says why it cannot be installed. */
export function installFrictionless(): string | undefined {
  if (existsSync(PYTHON)) return undefined;
  const run = (command: string, args: readonly string[]) => spawnSync(command, args, { timeout: 300_000 }).status === 0;
  const draft = mkdtempSync(`${VENV}-`);
  const made =
    run('python3', ['-m', 'venv', '--clear', draft]) &&
    run(join(draft, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', PACKAGE]);
  if (made && !existsSync(VENV)) renameSync(draft, VENV);
  rmSync(draft, { recursive: true, force: true });
  return made ? undefined : `python3 with venv and ${PACKAGE} from PyPI cannot be installed`;
}

/** What it finds wrong with a data package: the descriptor, and each cell of each table in CSV. */
export function checkPackage(path: string): { valid: boolean; tasks: { errors: unknown[] }[]; errors: unknown[] } {
  const { stdout, stderr } = spawnSync(PYTHON, ['-m', 'frictionless', 'validate', '--json', path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ReturnType<typeof checkPackage>;
}
