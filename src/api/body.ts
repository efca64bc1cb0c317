import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';

/** Why a body cannot be read; a body that is too large now will be too large again. */
interface Unread {
  readonly why: string;
  readonly isTooLarge?: true;
}

/** An answer's body as text, or why it cannot be read. */
export type Body = { readonly text: string } | Unread;

/** What the headers say about a body. */
export interface BodyHeaders {
  readonly encoding: string | undefined;
  readonly length: string | undefined;
}

/** The one encoding that is requested: JSON shrinks to a tenth, and unpacking a page takes a millisecond or two. */
export const ACCEPTED_ENCODING = 'gzip';

type Unpack = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

/** The encodings that a server or a proxy may use, requested or not; `maxOutputLength` stops a bomb. */
const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
  identity: (bytes) => Promise.resolve(bytes),
};

/**
 * Reads a body to its end, unpacks it and checks that it is UTF-8, with or without a byte order mark.
 * @param most the most bytes that it may have, packed or unpacked; reading stops there.
 * @throws whatever `chunks` throws.
 */
export async function readBody(chunks: AsyncIterable<Buffer>, headers: BodyHeaders, most: number): Promise<Body> {
  const packed = await collect(chunks, Number(headers.length ?? 0) > most ? 0 : most);
  const unpacked = packed === undefined ? tooLarge(most) : await unpack(packed, headers.encoding, most);
  if ('why' in unpacked) return unpacked;
  const { bytes } = unpacked;
  // Decoding would silently replace what is not UTF-8 with U+FFFD and lose it.
  if (!isUtf8(bytes)) return { why: 'it is not valid UTF-8' };
  return { text: bytes.toString('utf8', hasByteOrderMark(bytes) ? 3 : 0) };
}

/** All the bytes, or undefined when there are more than `most`. */
async function collect(chunks: AsyncIterable<Buffer>, most: number): Promise<Buffer | undefined> {
  const collected: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > most) return undefined;
    collected.push(chunk);
  }
  return Buffer.concat(collected, size);
}

async function unpack(packed: Buffer, encoding: string | undefined, most: number): Promise<{ bytes: Buffer } | Unread> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || packed.length === 0) return { bytes: packed };
  const unpackNamed = Object.hasOwn(UNPACK, name) ? UNPACK[name] : undefined;
  if (unpackNamed === undefined) return { why: 'it is compressed in a way that was not requested' };
  try {
    return { bytes: await unpackNamed(packed, { maxOutputLength: most }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(most);
    if (code === 'Z_BUF_ERROR') return { why: 'its compressed data end too early' };
    return { why: `it is not compressed as its content-encoding says (${name})` };
  }
}

function tooLarge(most: number): Unread {
  const megabytes = most / 1024 ** 2;
  return {
    why: `it is larger than ${megabytes >= 1 ? `${Math.round(megabytes)} MB` : `${most} bytes`}`,
    isTooLarge: true,
  };
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
