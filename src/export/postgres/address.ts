import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { WarehouseError } from '../../shared/errors.ts';
import { readService } from './service-file.ts';

/** What a connection to a database needs, apart from the password. */
export interface PostgresPlace {
  /** A name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly sslFiles: { readonly root?: string; readonly cert?: string; readonly key?: string };
  /** Where passwords are kept. */
  readonly passFile: string;
  /** The password that the environment or a file for services gives. */
  readonly password: string | undefined;
  /** As people write it; no password is in it. */
  readonly place: string;
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

export function isPostgres(text: string): boolean {
  return /^postgres(?:ql)?:/i.test(text);
}

/** The words of libpq that an address or a file for services may have. */
const OPTIONS = [
  'host',
  'port',
  'user',
  'dbname',
  'service',
  'passfile',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
];
const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  dbname: 'PGDATABASE',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
};

/**
 * Reads `postgres://[USER@][HOST][:PORT][/DATABASE][?OPTION=…]`. What it does not say comes, as for psql, from the file
 * for services, else from the environment.
 * @throws WarehouseError USAGE, in words that hold nothing of the address, as it may hold a password.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function postgresPlace(text: string, env: NodeJS.ProcessEnv): PostgresPlace {
  const said = optionsIn(text);
  const service = said.get('service') ?? env['PGSERVICE'];
  const served = service === undefined || service === '' ? new Map<string, string>() : readService(service, env);
  const of = (name: string) =>
    [said.get(name), served.get(name), env[VARIABLES[name] ?? '']].find((value) => value !== undefined && value !== '');
  const home = env['HOME'] ?? homedir();
  const host = of('host') ?? localHost();
  const port = Number(of('port') ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw unreadable('The port in the address of PostgreSQL is not valid.');
  if (host.includes(',')) throw unreadable('The address of PostgreSQL must name a single host.');
  const user = of('user') ?? userInfo().username;
  const database = of('dbname') ?? user;
  return {
    host,
    port,
    user,
    database,
    sslMode: sslModeOf(of('sslmode'), host),
    sslFiles: sslFilesOf(of, join(home, '.postgresql')),
    passFile: of('passfile') ?? join(home, '.pgpass'),
    password: of('password'),
    place: placeOf({ host, port, user, database }),
  };
}

/** @throws WarehouseError USAGE for what is no such address, or has a password. */
function optionsIn(text: string): ReadonlyMap<string, string> {
  const [all, user = '', place = '', database = '', query = ''] =
    /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^@/?#]*))?(?:\?([^@#]*))?$/i.exec(text) ?? [];
  if (all === undefined) throw unreadable('The address of PostgreSQL is not postgres://USER@HOST:PORT/DATABASE.');
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? [];
  const params = new URLSearchParams(query);
  if (user.includes(':') || params.has('password')) throw unreadable('The address of PostgreSQL has a password in it.');
  if (place !== '' && host === '' && port === '') throw unreadable('The address of PostgreSQL has no host.');
  for (const name of params.keys())
    if (!OPTIONS.includes(name))
      throw unreadable(`The address of PostgreSQL has an option that is not one of ${OPTIONS.join(', ')}.`);
  const options = new Map(params);
  const written = { user, host: host.replace(/^\[(.*)\]$/, '$1'), port, dbname: database };
  for (const [name, value] of Object.entries(written)) if (value !== '') options.set(name, decoded(value));
  return options;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable('The address of PostgreSQL has a % that encodes no character.');
  }
}

function unreadable(message: string): WarehouseError {
  return new WarehouseError('USAGE', message, {
    hint: 'Write postgres://USER@HOST/DATABASE. A password belongs in ~/.pgpass, PGPASSWORD or a service file: see docs/postgres.md.',
  });
}

/** The socket of a server on this computer, where Debian and others have it. */
function localHost(): string {
  return ['/var/run/postgresql', '/tmp'].find((folder) => existsSync(join(folder, '.s.PGSQL.5432'))) ?? 'localhost';
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);
}

/** Unlike psql, which falls back to no encryption, another computer is asked for it unless the address says otherwise. */
function sslModeOf(text: string | undefined, host: string): SslMode {
  if (text === undefined) return isLocal(host) ? 'prefer' : 'require';
  const mode = SSL_MODES.find((one) => one === text);
  if (mode === undefined) throw unreadable(`sslmode must be one of ${SSL_MODES.join(', ')}.`);
  return mode;
}

function sslFilesOf(of: (name: string) => string | undefined, folder: string): PostgresPlace['sslFiles'] {
  const found = (name: string, file: string) =>
    of(name) ?? (existsSync(join(folder, file)) ? join(folder, file) : undefined);
  const [root, cert, key] = [
    found('sslrootcert', 'root.crt'),
    found('sslcert', 'postgresql.crt'),
    found('sslkey', 'postgresql.key'),
  ];
  return {
    ...(root !== undefined && { root }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function placeOf({ host, port, user, database }: Pick<PostgresPlace, 'host' | 'port' | 'user' | 'database'>): string {
  const [at, name] = [encodeURIComponent(user), encodeURIComponent(database)];
  const end = port === 5432 ? '' : `:${port}`;
  if (!host.startsWith('/')) return `postgres://${at}@${host.includes(':') ? `[${host}]` : host}${end}/${name}`;
  return `postgres://${at}@${end}/${name}?host=${host}`;
}
