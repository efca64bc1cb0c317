import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '0.4.1';
const VENV = join(tmpdir(), `hyperstudy-warehouse-sdk-${VERSION}`);
const PYTHON = join(VENV, 'bin', 'python');
const SOURCES = join(VENV, 'sources');

const run = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { encoding: 'utf8', timeout: 240_000 }).status === 0;

/** Makes the official SDK importable in an environment of its own, or says why it cannot be installed. */
export function installSdk(): string | undefined {
  const imports = (python: string) => run(python, ['-c', 'import hyperstudy']);
  if (existsSync(PYTHON) && imports(PYTHON)) return undefined;
  rmSync(VENV, { recursive: true, force: true });
  return make(VENV, (folder) => {
    if (!run('python3', ['-m', 'venv', folder])) return 'python3 with venv is not to be had';
    const python = join(folder, 'bin', 'python');
    const installed = run(python, ['-m', 'pip', 'install', '--quiet', `hyperstudy==${VERSION}`]);
    return installed && imports(python) ? undefined : `the package hyperstudy ${VERSION} cannot be installed`;
  });
}

/** The folder of the answers that the SDK's source package publishes as its test data, or why it cannot be installed. */
export function fetchPublishedAnswers(): { folder?: string; missing?: string } {
  const missing =
    installSdk() ??
    (existsSync(SOURCES) ? undefined : make(SOURCES, unpackSources)) ??
    (existsSync(answersIn(SOURCES)) ? undefined : `the sources of hyperstudy ${VERSION} hold no tests/fixtures`);
  return missing === undefined ? { folder: answersIn(SOURCES) } : { missing };
}

function unpackSources(folder: string): string | undefined {
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', ':all:', '--dest', folder];
  const archive = run(PYTHON, [...pip, `hyperstudy==${VERSION}`])
    ? readdirSync(folder).find((name) => name.endsWith('.tar.gz'))
    : undefined;
  return archive !== undefined && run(PYTHON, ['-m', 'tarfile', '-e', join(folder, archive), folder])
    ? undefined
    : `the source package of hyperstudy ${VERSION} cannot be downloaded`;
}

const answersIn = (sources: string) => join(sources, `hyperstudy-${VERSION}`, 'tests', 'fixtures');

/** Makes a folder as a whole or not at all: tests that need it at the same time must not find it half made. */
function make(folder: string, fill: (draft: string) => string | undefined): string | undefined {
  const draft = mkdtempSync(`${folder}-`);
  const failure = fill(draft);
  if (failure === undefined && !existsSync(folder)) renameSync(draft, folder);
  rmSync(draft, { recursive: true, force: true });
  return failure;
}

/** Runs a script of this repository in the SDK's environment. */
export function runSdk(
  script: string,
  { env, input = '' }: { env: Readonly<Record<string, string>>; input?: string },
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(PYTHON, [script], { env: { PATH: process.env['PATH'], ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    child.stdin.end(input);
  });
}
