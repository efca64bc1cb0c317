import { createHash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isErrorCode, WarehouseError } from '../shared/errors.ts';
import type { SyncResult } from '../sync/run.ts';
import { AskedMessage, EventMessage, streamOf, toMessage, type Event } from './messages.ts';
import type { Asked } from './engine.ts';

/** The longest path that a socket may have on every system, in bytes. */
const LONGEST_PATH = 100;

/** Where the daemon of a warehouse listens: beside the file or, where that path is too long, in the temporary folder. */
export function socketPath(warehouse: string): string {
  const beside = `${warehouse}.sock`;
  if (Buffer.byteLength(beside) <= LONGEST_PATH) return beside;
  const name = createHash('sha256').update(warehouse).digest('hex').slice(0, 16);
  return join(tmpdir(), `hyperstudy-warehouse-${name}.sock`);
}

/** Does what was asked for and tells meanwhile how it goes; ends when the signal is aborted, as whoever asked has gone. */
export type Handle = (asked: Asked, tell: (event: Event) => void, signal: AbortSignal) => Promise<SyncResult>;

/**
 * Takes over syncs that the command line was asked for while this daemon holds the warehouse. Only the same user (and
 * root) can connect. Call it as the only writer: a socket that is left over is removed.
 */
export async function serveHandover(path: string, handle: Handle): Promise<{ close(): Promise<void> }> {
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    void answer(socket, handle);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function answer(socket: Socket, handle: Handle): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(interrupted()));
  const send = (message: unknown) => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  try {
    for await (const line of createInterface({ input: socket })) {
      const asked = AskedMessage.parse(JSON.parse(line));
      send({ result: await handle(asked, (event) => send(toMessage(event)), gone.signal) });
      break;
    }
  } catch (error) {
    const { code, message, hint } =
      error instanceof WarehouseError
        ? error
        : new WarehouseError('USAGE', 'The running daemon did not understand what it was asked for.', {
            hint: 'It may be of another version: restart it.',
          });
    send({ error: { code, message, hint } });
  }
  socket.end();
}

/**
 * Asks the daemon of a warehouse to sync now.
 * @returns undefined when none is listening.
 * @throws WarehouseError what the daemon throws; INTERRUPTED when the signal is aborted or the daemon goes away.
 */
export async function handOver(
  path: string,
  asked: Asked,
  tell: (event: Event) => void,
  signal: AbortSignal,
): Promise<SyncResult | undefined> {
  const socket = await dial(path);
  if (socket === undefined) return undefined;
  const leave = () => socket.destroy();
  signal.addEventListener('abort', leave, { once: true });
  try {
    socket.write(`${JSON.stringify(asked)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const message = EventMessage.parse(JSON.parse(line));
      if ('result' in message) return message.result;
      if ('error' in message) {
        const { code, message: text, hint } = message.error;
        throw new WarehouseError(isErrorCode(code) ? code : 'USAGE', text, hint === undefined ? {} : { hint });
      }
      const stream = streamOf(message.stream);
      if ('page' in message) tell({ stream, page: { ...message.page, total: message.page.total } });
      else tell({ stream, ...(message.ended === undefined ? {} : { ended: message.ended }) });
    }
  } finally {
    signal.removeEventListener('abort', leave);
    socket.destroy();
  }
  throw interrupted();
}

function interrupted(): WarehouseError {
  return new WarehouseError(
    'INTERRUPTED',
    'Interrupted. Everything read so far is stored; the next sync goes on from there.',
  );
}

function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
