import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { MINUTE_MS } from '../shared/time.ts';
import type { SimRequest } from './reply.ts';
import type { World } from './world.ts';

/** What a server of files does wrong. */
export type MediaFault =
  | { readonly kind: 'status'; readonly status: number; readonly location?: string }
  /** The connection breaks off after so many bytes. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** A shorter file than the record says, sent as whole. */
  | { readonly kind: 'shrunk'; readonly by: number }
  /** Another file of the same size. */
  | { readonly kind: 'other' }
  /** The whole file, whatever part was asked for. */
  | { readonly kind: 'ignoresRange' }
  /** A part of another file than its ETag says. */
  | { readonly kind: 'wrongPart' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number };

/** A request for a file. */
export interface LoggedDownload {
  readonly path: string;
  readonly range: string | undefined;
  /** It must never be sent here. */
  readonly key: string | undefined;
  /** Filled in by the answer. */
  status: number | undefined;
}

const LASTS_MS = 15 * MINUTE_MS;

/** A short-lived address of a recording's file, different in every answer. */
export function signedAddress({ headers: { host } }: SimRequest, room: string, egressId: string, now: number): string {
  const place = `${encodeURIComponent(room)}/${encodeURIComponent(egressId)}.mp4`;
  const origin = host === undefined ? 'https://media.example.org' : `http://${host}/media`;
  return `${origin}/${place}?X-Goog-Expires=${now + LASTS_MS}&X-Goog-Signature=${now.toString(36)}`;
}

/** The file of a recording: the same bytes for the same id. */
export function contentOf(egressId: string, bytes: number): Buffer {
  return createHash('shake256', { outputLength: bytes }).update(egressId).digest();
}

interface Sending {
  readonly url: URL;
  readonly world: World;
  readonly now: number;
  readonly downloads: LoggedDownload[];
  readonly fault: ((download: LoggedDownload, n: number) => MediaFault | undefined) | undefined;
}

/** Answers a request for a file as a store of files does: a range, an ETag, an address that ends. */
export async function sendMedia(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { url, world, now, downloads, fault: faultOf }: Sending,
): Promise<void> {
  const key = headers['x-api-key'];
  const logged: LoggedDownload = {
    path: url.pathname,
    range: headers.range,
    key: Array.isArray(key) ? key[0] : key,
    status: undefined,
  };
  const fault = faultOf?.(logged, downloads.length);
  downloads.push(logged);
  const answer = (status: number, extra: Readonly<Record<string, string | number>> = {}) => {
    logged.status = status;
    return response.writeHead(status, extra);
  };
  if (fault?.kind === 'silent') return;
  if (fault?.kind === 'status')
    return void answer(fault.status, fault.location === undefined ? {} : { location: fault.location }).end('no');
  if (Number(url.searchParams.get('X-Goog-Expires')) < now) return void answer(400).end('ExpiredToken');
  const file = fileAt(url.pathname, world, now, fault);
  if (file === undefined) return void answer(404).end('NoSuchKey');
  const etag = `"${createHash('md5').update(file).digest('hex')}"`;
  const from = fault?.kind === 'ignoresRange' ? 0 : startOf(headers.range, headers['if-range'], etag, file.length);
  if (from >= file.length) return void answer(416).end();
  const sent = fault?.kind === 'wrongPart' && from > 0 ? file.subarray(from - 1, -1) : file.subarray(from);
  const at = fault?.kind === 'wrongPart' ? from - 1 : from;
  const part = from === 0 ? {} : { 'content-range': `bytes ${at}-${at + sent.length - 1}/${file.length}` };
  answer(from === 0 ? 200 : 206, { ...part, etag, 'content-length': sent.length });
  if (fault?.kind === 'reset')
    response.write(sent.subarray(0, fault.afterBytes), () => setTimeout(() => response.req.socket.destroy(), 50));
  else if (fault?.kind === 'drip') await drip(response, sent, fault);
  else response.end(sent);
}

function fileAt(path: string, world: World, now: number, fault: MediaFault | undefined): Buffer | undefined {
  const [room = '', name = ''] = path.split('/').slice(2).map(decodeURIComponent);
  const egressId = name.replace(/\.mp4$/, '');
  const record = world
    .records('recordings', world.experimentOf(room) ?? '', now)
    .find((recording) => recording['egressId'] === egressId);
  if (record === undefined) return undefined;
  const file = contentOf(
    fault?.kind === 'other' ? `other ${egressId}` : egressId,
    Number(record['fileSize'] ?? 50_000),
  );
  return fault?.kind === 'shrunk' ? file.subarray(0, -fault.by) : file;
}

function startOf(range: string | undefined, ifRange: unknown, etag: string, length: number): number {
  const [, from] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
  if (from === undefined || (ifRange !== undefined && ifRange !== etag)) return 0;
  return Math.min(Number(from), length);
}

async function drip(
  response: ServerResponse,
  file: Buffer,
  { bytes, everyMs }: { readonly bytes: number; readonly everyMs: number },
): Promise<void> {
  for (let sent = 0; sent < file.length && !response.destroyed; sent += bytes) {
    response.write(file.subarray(sent, sent + bytes));
    await delay(everyMs);
  }
  response.end();
}
