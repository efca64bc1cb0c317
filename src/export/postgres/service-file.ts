import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { WarehouseError } from '../../shared/errors.ts';

/**
 * The settings of a service in the first file that names it, as libpq finds them.
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export function readService(name: string, env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  const own = env['PGSERVICEFILE'] ?? join(env['HOME'] ?? homedir(), '.pg_service.conf');
  const shared = join(env['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf');
  for (const file of [own, shared]) {
    const found = existsSync(file) ? sectionOf(readFileSync(file, 'utf8'), name) : undefined;
    if (found !== undefined) return found;
  }
  throw new WarehouseError('USAGE', `No file for services of PostgreSQL has the service ${name}.`, {
    hint: `Write it into ${own}, or set PGSERVICEFILE.`,
  });
}

function sectionOf(text: string, name: string): ReadonlyMap<string, string> | undefined {
  let settings: Map<string, string> | undefined;
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line.startsWith('[')) {
      if (settings !== undefined) return settings;
      if (line === `[${name}]`) settings = new Map();
    } else if (settings !== undefined && !line.startsWith('#') && line.includes('=')) {
      const at = line.indexOf('=');
      settings.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    }
  }
  return settings;
}

/** What the password is for. */
interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password in a file of lines `HOST:PORT:DATABASE:USER:PASSWORD`; undefined where none fits.
 * @throws WarehouseError USAGE for a file that others may read.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function passwordIn(file: string, { host, port, database, user }: Login): string | undefined {
  if (!existsSync(file)) return undefined;
  const stat = lstatSync(file);
  if (!stat.isFile() && !stat.isSymbolicLink()) return undefined;
  if ((stat.mode & 0o077) > 0 && !stat.isSymbolicLink())
    throw new WarehouseError('USAGE', `Others on this computer may read the passwords in ${file}.`, {
      hint: `Run \`chmod 600 ${file}\`.`,
    });
  // A socket is `localhost` there.
  const wanted = [host.startsWith('/') ? [host, 'localhost'] : [host], [String(port)], [database], [user]];
  for (const line of readFileSync(file, 'utf8').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = '']) =>
      field.replaceAll(/\\(.)/g, '$1'),
    );
    const fits = wanted.every((names, i) => fields[i] === '*' || names.includes(fields[i] ?? ''));
    if (fits && fields.length > 4) return fields[4];
  }
  return undefined;
}
