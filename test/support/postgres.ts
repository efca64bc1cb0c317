import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** A server of PostgreSQL for tests. */
export interface PostgresServer {
  /** The folder with its socket. */
  readonly folder: string;
  /** An address of it; `hsw` is asked for no password. */
  url(database?: string, user?: string): string;
  /** What the last of some statements gives: rows as lines, with | between values. */
  ask(sql: string): Promise<string>;
  stop(): Promise<void>;
}

/** The programs of the newest PostgreSQL on this computer; Debian keeps those of the server off the PATH. */
function programs(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

export const hasPostgres = programs() !== undefined;
if (!hasPostgres) process.stderr.write('PostgreSQL is not installed: the tests of it are skipped.\n');

/** Starts one in a temporary folder, as a user without rights, reachable by a Unix socket only. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = programs() ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'hsw-pg-'));
  // It refuses to run as root.
  const nobody = 65_534;
  const as = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ('uid' in as) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', 'hsw', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  execFileSync(join(bin, 'initdb'), init, { ...as, cwd: folder, stdio: 'ignore' });
  const rules = join(data, 'pg_hba.conf');
  rmSync(rules);
  appendFileSync(rules, 'local all locked scram-sha-256\nlocal all all trust\n');
  if ('uid' in as) chownSync(rules, nobody, nobody);
  const settings = { listen_addresses: '', fsync: 'off', unix_socket_directories: folder, autovacuum: 'off' };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...options], { ...as, cwd: folder, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const connection = await connected(folder, () => server.exitCode === null);
  return {
    folder,
    url: (database = 'postgres', user = 'hsw') => `postgres://${user}@/${database}?host=${folder}`,
    async ask(sql) {
      const answers = await connection.query<(string | null)[]>({ text: sql, rowMode: 'array', types: AS_TEXT });
      const last = [answers].flat().at(-1);
      return (last?.rows ?? []).map((row) => row.map((value) => value ?? '').join('|')).join('\n');
    },
    async stop() {
      await connection.end();
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const AS_TEXT = { getTypeParser: () => String };

async function connected(host: string, isAlive: () => boolean): Promise<Client> {
  for (let tries = 0; tries < 600 && isAlive(); tries++) {
    const client = new Client({ host, user: 'hsw', database: 'postgres' });
    try {
      await client.connect();
      return client;
    } catch {
      await sleep(20);
    }
  }
  throw new Error('PostgreSQL did not start.');
}
