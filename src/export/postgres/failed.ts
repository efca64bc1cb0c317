import { WarehouseError } from '../../shared/errors.ts';

/** What to do about it, by the code of PostgreSQL or of the network. */
const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'Check the password in ~/.pgpass, PGPASSWORD or the service file.',
  '28000': 'Check the user; pg_hba.conf of the server says who may connect from where, and how.',
  '3D000': 'Create the database first, or check its name.',
  '42501':
    'The user needs CREATE on the database, or a schema of its own: CREATE SCHEMA … AUTHORIZATION …; and TEMPORARY on the database.',
  '2BP01': 'Drop what depends on it, publish, and create it again.',
  '53100': 'The disk of the server is full.',
  '53200': 'The server needs more memory, or a larger max_locks_per_transaction.',
  '53300': 'The server has no connection left: try again later.',
  '55P03': 'Another publication or a long query holds these tables: publish again when it has ended.',
  '57P03': 'The server is starting or stopping: try again in a moment.',
  '25006': 'This server is a read-only replica: name the primary one.',
  ECONNREFUSED: 'Check that PostgreSQL is running there, and its host and port.',
  ENOENT: 'Check that PostgreSQL is running, and which folder has its socket (?host=FOLDER).',
  ENOTFOUND: 'Check the name of the host.',
};

const OTHERWISE = 'Check the server and the network, and publish again.';

/** The error for people of what a server, or the way to it, refused. No password is in it, and nothing of the rows. */
export function failedAt(
  place: string,
  cause: unknown,
  { secrets, isDone = false }: { readonly secrets: readonly (string | undefined)[]; readonly isDone?: boolean },
): WarehouseError {
  if (cause instanceof WarehouseError) return cause;
  const { message } = cause instanceof Error ? cause : new Error(String(cause));
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  // An AggregateError of several addresses has no words.
  const why = (message === '' ? code : message).replace(/\.$/, '');
  const said = secrets.reduce<string>(
    (text, secret) => (secret === undefined || secret === '' ? text : text.replaceAll(secret, '[hidden]')),
    why,
  );
  const rest = isDone
    ? 'It is not known whether the server has stored it: all of the new data are there, or none'
    : 'What was published there before is unchanged';
  return new WarehouseError('PUBLISH_FAILED', `Publishing to ${place} failed: ${said}. ${rest}.`, {
    hint: HINTS[code] ?? (/SSL|certificate/i.test(why) ? TLS : OTHERWISE),
  });
}

const TLS =
  'The connection must be encrypted: ?sslmode=verify-full with ?sslrootcert=FILE checks the certificate, ?sslmode=disable turns encryption off, for a network that you trust.';
