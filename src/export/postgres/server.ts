import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import type { SqlValue } from '../../shared/sqlite.ts';
import type { PostgresPlace, SslMode } from './address.ts';
import { failedAt } from './failed.ts';
import { passwordIn } from './service-file.ts';

/** A connection to PostgreSQL; every failure is one for people. */
export interface Server {
  readonly place: string;
  /** Runs a statement, or several without values; gives how many rows it changed. */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>;
  rows<Row>(sql: string, type: z.ZodType<Row>, values?: readonly SqlValue[]): Promise<Row[]>;
  /**
   * Sends lines in the form of COPY, some with each text; their maker waits where the server is slower. False
   * where a row was too wide for PostgreSQL.
   */
  send(sql: string, texts: AsyncIterable<string>): Promise<boolean>;
  /** The lines that COPY gives, without their ends, some at a time. */
  receive(sql: string): AsyncGenerator<readonly string[]>;
  close(): Promise<void>;
}

const CONNECT_MS = 15_000;
const ALIVE_MS = 30_000;

/** `program_limit_exceeded`: a row is no larger than a page, whatever is moved out of it. */
const TOO_WIDE = '54000';

/** Connects, and ends the connection at once when the signal comes: the server then undoes what is not committed. */
export async function openServer(place: PostgresPlace, signal: AbortSignal): Promise<Server> {
  const password = place.password ?? passwordIn(place.passFile, place);
  const secrets = [password, password === undefined ? undefined : encodeURIComponent(password)];
  const failed = (error: unknown, isDone = false) => {
    signal.throwIfAborted();
    return failedAt(place.place, error, { secrets, isDone });
  };
  const client = await connect(place, password).catch((error: unknown) => {
    throw failed(error);
  });
  const abort = () => void client.end();
  signal.addEventListener('abort', abort, { once: true });
  const asking = async <T>(ask: () => Promise<T>, isDone = false): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      throw failed(error, isDone && !isOfServer(error));
    }
  };
  return {
    place: place.place,
    run: (sql, values) =>
      asking(async () => {
        const { rowCount } = await client.query({ text: sql, ...(values && { values: [...values] }) });
        return rowCount ?? 0;
      }, sql === 'COMMIT'),
    rows: (sql, type, values = []) =>
      asking(async () => {
        const { rows } = await client.query<Record<string, unknown>>({ text: sql, values: [...values] });
        return rows.map((row) => type.parse(row));
      }),
    send: (sql, texts) =>
      asking(async () => {
        try {
          await pipeline(Readable.from(texts, { objectMode: true, highWaterMark: 2 }), client.query(copyFrom(sql)));
          return true;
        } catch (error) {
          if (error instanceof Error && 'code' in error && error.code === TOO_WIDE) return false;
          throw error;
        }
      }),
    async *receive(sql) {
      signal.throwIfAborted();
      try {
        yield* linesIn(client.query(copyTo(sql)));
      } catch (error) {
        throw failed(error);
      }
    },
    async close() {
      signal.removeEventListener('abort', abort);
      await client.end();
    },
  };
}

/** Whether the server said it; otherwise the connection failed, and what the server did is not known. */
function isOfServer(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code)) && 'severity' in error;
}

async function connect(place: PostgresPlace, password: string | undefined): Promise<Client> {
  const { host, port, user, database, sslMode } = place;
  const open = async (ssl: ConnectionOptions | false) => {
    const client = new Client({
      host,
      port,
      user,
      database,
      ssl,
      // Otherwise it would look for one by itself.
      password: () => password ?? Promise.reject(noPassword(place)),
      application_name: 'hyperstudy-warehouse',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: ALIVE_MS,
    });
    // What fails later is reported by the query that it interrupts, or by the next one.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const ssl = host.startsWith('/') ? false : sslOptions(place);
  const mayBePlain = sslMode === 'prefer' || sslMode === 'allow';
  return open(ssl).catch((error: unknown) => {
    if (mayBePlain && error instanceof Error && error.message.includes('does not support SSL')) return open(false);
    throw error;
  });
}

function noPassword({ place }: PostgresPlace): WarehouseError {
  return new WarehouseError('PUBLISH_FAILED', `${place} asks for a password, and none is known.`, {
    hint: 'Put it into ~/.pgpass (HOST:PORT:DATABASE:USER:PASSWORD, chmod 600), PGPASSWORD or a service file.',
  });
}

/** As libpq does: `require` encrypts, and checks the certificate only where there is a root to check it against. */
function sslOptions({ sslMode, sslFiles }: PostgresPlace): ConnectionOptions | false {
  if (sslMode === 'disable') return false;
  const { root, cert, key } = sslFiles;
  const checks: Readonly<Record<Exclude<SslMode, 'disable'>, boolean>> = {
    allow: false,
    prefer: false,
    require: root !== undefined,
    'verify-ca': true,
    'verify-full': true,
  };
  return {
    rejectUnauthorized: checks[sslMode],
    ...(sslMode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    ...(root !== undefined && root !== 'system' && { ca: readSecret(root) }),
    ...(cert !== undefined && { cert: readSecret(cert) }),
    ...(key !== undefined && { key: readSecret(key) }),
  };
}

/** @throws WarehouseError USAGE */
function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WarehouseError('USAGE', `${file}, which the connection to PostgreSQL needs, cannot be read.`, {
      hint: 'Check sslrootcert, sslcert and sslkey, or PGSSLROOTCERT, PGSSLCERT and PGSSLKEY.',
      cause,
    });
  }
}

/** A line feed inside a value is escaped. */
async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(0x0a);
    if (end === -1) {
      rest.push(chunk);
      continue;
    }
    const whole = Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8');
    rest = [chunk.subarray(end + 1)];
    yield whole.split('\n');
  }
}
