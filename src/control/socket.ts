import { chmodSync, rmdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { interrupted, isErrorCode, WarehouseError } from '../shared/errors.ts';
import { hasSocket, prepareSocket } from './place.ts';
import {
  AnswerMessage,
  RequestMessage,
  RESULT_MESSAGES,
  toEvent,
  toMessage,
  type Ask,
  type RequestOf,
  type ControlRequest,
  type Results,
  type Notify,
} from './protocol.ts';

/** The longest line of a request. Results name every stream; they come from a daemon whose owner is known. */
const LONGEST_REQUEST = 64 * 1024;
const LONGEST_ANSWER = 64 * 1024 ** 2;

/**
 * Runs a request and reports its progress; ends when the signal is aborted, as the command line has disconnected.
 */
export type ControlHandlers = {
  readonly [A in Ask]: (request: RequestOf<A>, notify: Notify, signal: AbortSignal) => Promise<Results[A]>;
};

/** The code, on the wire, of an internal error; the command line reports it as if it had happened there. */
const INTERNAL_ERROR = 'MISTAKE';

/**
 * Serves requests of the command line while this daemon holds the warehouse. Only the same user (and root) can connect.
 * Call it only as the single writer: an existing socket is taken for a stale one and removed.
 */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<{ close: () => Promise<void> }> {
  prepareSocket(path);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    void answer(socket, handlers);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          removeEmpty(dirname(path));
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another daemon's socket may be there.
  }
}

async function answer(socket: Socket, handlers: ControlHandlers): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(interrupted()));
  const send = (message: unknown) => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  try {
    for await (const line of linesOf(socket, LONGEST_REQUEST)) {
      const request = understood(
        RequestMessage,
        line,
        'The running daemon has another version and does not understand this request. Nothing was done.',
      );
      send({ result: await handle(handlers, request, (event) => send(toMessage(event)), gone.signal) });
      break;
    }
  } catch (error) {
    send({ error: errorMessage(error) });
  }
  socket.end();
}

function handle(
  handlers: ControlHandlers,
  request: ControlRequest,
  notify: Notify,
  signal: AbortSignal,
): Promise<Results[Ask]> {
  switch (request.ask) {
    case 'sync':
      return handlers.sync(request, notify, signal);
    case 'verify':
      return handlers.verify(request, notify, signal);
    case 'erase':
      return handlers.erase(request, notify, signal);
    case 'about':
      return handlers.about(request, notify, signal);
    case 'dashboard':
      return handlers.dashboard(request, notify, signal);
  }
}

function errorMessage(error: unknown): { code: string; message: string; hint?: string | undefined } {
  if (error instanceof WarehouseError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: INTERNAL_ERROR, message: error instanceof Error ? error.message : String(error) };
}

/**
 * Sends a request to the daemon of a warehouse and waits for its result.
 * @returns undefined if no daemon is listening.
 * @throws WarehouseError what the daemon throws; INTERRUPTED when the signal is aborted or the daemon stops;
 * WAREHOUSE_BUSY when it is another user's.
 */
export async function askDaemon<A extends Ask>(
  path: string,
  request: RequestOf<A>,
  notify: Notify,
  signal: AbortSignal,
): Promise<Results[A] | undefined> {
  signal.throwIfAborted();
  const socket = await dial(path);
  if (socket === undefined) return undefined;
  const leave = () => socket.destroy();
  signal.addEventListener('abort', leave, { once: true });
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of linesOf(socket, LONGEST_ANSWER)) {
      const message = understood(AnswerMessage, line, STRANGE_ANSWER);
      if ('error' in message) throw message.error.code === 'INTERRUPTED' ? left() : asThrown(message.error);
      if ('result' in message) {
        const ask: A = request.ask;
        return checked<Results[A]>(RESULT_MESSAGES[ask], message.result, STRANGE_ANSWER);
      }
      notify(toEvent(message));
    }
  } finally {
    signal.removeEventListener('abort', leave);
    socket.destroy();
  }
  throw signal.aborted ? interrupted() : left();
}

const STRANGE_ANSWER = 'The running daemon has another version, and its answer cannot be understood.';

/**
 * The lines that arrive on a socket, until either side closes it.
 * @throws WarehouseError USAGE for a line of more bytes than that.
 */
async function* linesOf(socket: Socket, longest: number): AsyncGenerator<string> {
  const line = { bytes: 0, isTooLong: false };
  socket.on('data', (chunk: Buffer) => {
    const end = chunk.indexOf(LINE_BREAK);
    line.isTooLong ||= line.bytes + (end === -1 ? chunk.length : end) > longest;
    line.bytes = end === -1 ? line.bytes + chunk.length : chunk.length - chunk.lastIndexOf(LINE_BREAK) - 1;
    if (line.isTooLong) lines.close();
  });
  const lines = createInterface({ input: socket });
  // readline notices the end of the input, but not that the socket was destroyed.
  socket.once('close', () => lines.close());
  yield* lines;
  if (!line.isTooLong) return;
  const text = `A line of more than ${Math.round(longest / 1024)} kB came over the control socket, and was not read.`;
  throw new WarehouseError('USAGE', text, { hint: 'Ask for fewer experiments or data types at a time.' });
}

const LINE_BREAK = 10;

/** @throws WarehouseError with that text when a line is not a valid message. */
function understood<T>(messages: z.ZodType<T>, line: string, otherwise: string): T {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    message = undefined;
  }
  return checked(messages, message, otherwise);
}

function checked<T>(messages: z.ZodType<T>, message: unknown, otherwise: string): T {
  const read = messages.safeParse(message);
  if (read.success) return read.data;
  throw new WarehouseError('USAGE', otherwise, {
    hint: 'Restart the daemon, so that it has the same version as this command, and try again.',
  });
}

function asThrown({ code, message, hint }: { code: string; message: string; hint?: string | undefined }): Error {
  if (code === INTERNAL_ERROR) return new Error(`in the daemon (see its log): ${message}`);
  return new WarehouseError(isErrorCode(code) ? code : 'USAGE', message, hint === undefined ? {} : { hint });
}

function left(): WarehouseError {
  const text = 'The daemon stopped before the request was done. Everything read so far is stored.';
  return new WarehouseError('INTERRUPTED', text, {
    hint: 'Run the command again; the next sync continues from there.',
  });
}

/** @throws WarehouseError WAREHOUSE_BUSY when the socket is another user's; PLACE_UNSAFE when it is a trap. */
async function dial(path: string): Promise<Socket | undefined> {
  try {
    if (!hasSocket(path)) return undefined;
    return await new Promise<Socket>((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => resolve(socket)).on('error', reject);
    });
  } catch (error) {
    if (error instanceof WarehouseError) throw error;
    if (!(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')))
      return undefined;
    throw new WarehouseError('WAREHOUSE_BUSY', 'The daemon of the warehouse belongs to another user.', {
      hint: 'It accepts requests only from its own user and from root: run the command as one of them.',
    });
  }
}
