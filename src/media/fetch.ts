import { createHash } from 'node:crypto';
import { constants, statSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { download, type Download } from '../api/download.ts';
import { interrupted, WarehouseError } from '../shared/errors.ts';
import type { Pace } from './pace.ts';
import { Erased, MediaFailure } from './problems.ts';

/** A whole file, as it was downloaded and written to the disk. */
export interface Fetched {
  readonly bytes: number;
  readonly sha256: string;
  /** The bytes that this try brought. */
  readonly received: number;
}

/** What a part on the disk is a part of. */
export interface Begun {
  readonly etag: string | null;
  readonly totalBytes: number | null;
}

export interface Fetching {
  readonly part: string;
  readonly begun: Begun;
  /** Called before the first byte is written, when it is known what the file is. */
  readonly onBegin: (begun: Begun) => void;
  readonly pace: Pace;
  readonly timeoutMs: number;
  /** How long a try may take at most; the next continues. */
  readonly mostMs: number;
  readonly signal: AbortSignal;
}

/**
 * Downloads a file into `part`, from where an earlier try stopped if the server shows that it is the same file still,
 * and writes it to the disk. What came is kept when the connection breaks off.
 * @throws MediaFailure, or WarehouseError when the disk is full or the signal was aborted.
 */
export async function fetchFile(url: URL, fetching: Fetching): Promise<Fetched> {
  const { part, begun, timeoutMs, signal } = fetching;
  const file = await openPart(part);
  try {
    const held = (await file.stat()).size;
    const { etag } = begun;
    const rest = held > 0 && isStrong(etag) ? { from: held, etag } : undefined;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(fetching.mostMs)]);
    const reply = await download(url, { rest, timeoutMs, signal: deadline });
    try {
      refuse(reply);
      const from = rest === undefined ? 0 : startOf(reply, rest, begun);
      if (from === undefined) {
        // The part is of no use: the next try begins at the start.
        await file.truncate(0);
        throw new MediaFailure('broken');
      }
      return await receive(file, reply, { ...fetching, from, signal: deadline });
    } finally {
      await reply.close();
    }
  } catch (error) {
    throw explained(error, signal, part);
  } finally {
    await file.close();
  }
}

/** Never through a link that someone put there. */
async function openPart(part: string): Promise<FileHandle> {
  const { O_RDWR, O_NOFOLLOW } = constants;
  try {
    return await open(part, O_RDWR | O_NOFOLLOW);
  } catch (error) {
    throw explained(error, undefined, part);
  }
}

function isStrong(etag: string | null): etag is string {
  return etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag);
}

function refuse({ status }: Download): void {
  if (status === 200 || status === 206 || status === 416) return;
  if (status >= 300 && status < 400) throw new MediaFailure('redirected');
  if (status === 404 || status === 410) throw new MediaFailure('missing');
  throw new MediaFailure(status < 500 && status !== 429 && status !== 408 ? 'refused' : 'failed');
}

/** Where the body starts in the file: 0 for a whole one; undefined where it is not the part that was asked for. */
function startOf(
  { status, headers }: Download,
  rest: { readonly from: number; readonly etag: string },
  { totalBytes }: Begun,
): number | undefined {
  if (status === 200) return 0;
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers('content-range') ?? '') ?? [];
  const isSame = headers('etag') === rest.etag && (totalBytes === null || Number(total) === totalBytes);
  return status === 206 && isSame && Number(from) === rest.from && Number(to) + 1 === Number(total)
    ? rest.from
    : undefined;
}

interface Receiving extends Fetching {
  readonly from: number;
}

async function receive(
  file: FileHandle,
  { status, headers, body }: Download,
  { from, begun, onBegin, pace, signal }: Receiving,
): Promise<Fetched> {
  const encoding = headers('content-encoding') ?? 'identity';
  if ((from === 0 && status !== 200) || encoding !== 'identity') throw new MediaFailure('failed');
  const length = headers('content-length');
  const total = from > 0 ? begun.totalBytes : length === undefined ? null : Number(length);
  const hash = createHash('sha256');
  if (from === 0) {
    await file.truncate(0);
    onBegin({ etag: headers('etag') ?? null, totalBytes: total });
  } else await hashStart(file, from, hash);
  let at = from;
  for await (const chunk of body) {
    await writeAll(file, chunk, at);
    hash.update(chunk);
    at += chunk.length;
    await pace(chunk.length, signal);
  }
  if (total !== null && at !== total) throw new MediaFailure('broken');
  await file.sync();
  return { bytes: at, sha256: hash.digest('hex'), received: at - from };
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

async function hashStart(file: FileHandle, bytes: number, hash: ReturnType<typeof createHash>): Promise<void> {
  const buffer = Buffer.alloc(1 << 18);
  for (let at = 0; at < bytes;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
    if (bytesRead === 0) throw new MediaFailure('broken');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENOTDIR', 'EISDIR', 'ENOENT', 'EIO']);

/** What an error on the way means: to the file, to all files, or that a person ended it. */
export function explained(error: unknown, signal: AbortSignal | undefined, path: string): unknown {
  if (error instanceof MediaFailure || error instanceof WarehouseError || error instanceof Erased) return error;
  if (signal?.aborted === true) return interrupted(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // A failure of the warehouse: it is not about the file.
  if (code.startsWith('SQLITE_')) return error;
  if (FULL.has(code))
    return new WarehouseError(
      'WAREHOUSE_FULL',
      `The disk is full: ${path} could not be written. No partial file has its final name.`,
      {
        hint: 'Free some space, or set media.path to a folder on a larger disk; the next download continues.',
        cause: error,
      },
    );
  if (UNWRITABLE.has(code))
    return new WarehouseError('WAREHOUSE_UNWRITABLE', `${path} cannot be written (${code}).`, {
      hint: 'Check the owner and the mode of the folder that media.path names.',
      cause: error,
    });
  const isSlow = error instanceof Error && (error.name === 'TimeoutError' || code.includes('TIMEOUT'));
  return new MediaFailure(isSlow ? 'slow' : 'broken', { cause: error });
}

/** Removes the part of a file, or only one that nothing came into. */
export async function dropPart(part: string, which: 'any' | 'empty'): Promise<void> {
  const size = statSync(part, { throwIfNoEntry: false })?.size;
  if (size === 0 || which === 'any') await rm(part, { force: true });
}
