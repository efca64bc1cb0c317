/** What the figures depend on besides our code. */
import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { VERSION } from '../src/shared/version.ts';
import { filesystemOf } from '../src/warehouse/open.ts';
import type { Results } from './results.ts';

export function machine(folder: string): Results['machine'] {
  return {
    cpu: `${cpus()[0]?.model.trim() ?? 'unknown'} (${arch()})`,
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    load: Math.round((loadavg()[2] ?? NaN) * 10) / 10,
    kernel: release(),
    fileSystem: filesystemOf(folder) ?? 'unknown',
  };
}

/** The commit of the code that is measured, and whether files differ from it. */
export function commit(): Results['commit'] {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return {
      id: git('rev-parse', 'HEAD'),
      isChanged: git('status', '--porcelain', '--', '../src', '../bench/*.ts') !== '',
    };
  } catch {
    // Such as in a package without its history.
    return null;
  }
}

export function ownVersions(): Record<string, string> {
  const db = new Database(':memory:');
  const sqlite = String(db.prepare('SELECT sqlite_version()').pluck().get());
  db.close();
  const packaged = join(import.meta.dirname, '../node_modules/better-sqlite3/package.json');
  const driver = JSON.parse(readFileSync(packaged, 'utf8')) as { version: string };
  return { 'hyperstudy-warehouse': VERSION, node: process.versions.node, 'better-sqlite3': driver.version, sqlite };
}
