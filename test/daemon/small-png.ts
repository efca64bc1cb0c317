import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;

/**
 * A screenshot (8-bit RGB or RGBA, not interlaced) as a picture with a palette of its 256 most frequent colours; each
 * rarer colour becomes the nearest of them. A page of text takes a third of the bytes, and looks the same.
 */
export function smallPng(png: Buffer): Buffer {
  const { header, data } = read(png);
  const width = header.readUInt32BE(0);
  const channels = header[9] === 6 ? 4 : 3;
  const rows = unfilter(inflateSync(data), width * channels, channels);
  const pixels = rows.map((row) => Array.from({ length: width }, (_, x) => row.readUIntBE(x * channels, 3)));
  const palette = mostFrequent(pixels);
  const known = new Map(palette.map((colour, i) => [colour, i]));
  const indexed = pixels.map((row) => Buffer.from([0, ...row.map((colour) => indexOf(colour, palette, known))]));
  const kept = Buffer.from(header.subarray(0, 13));
  kept.set([8, 3], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', kept),
    chunk('PLTE', Buffer.from(palette.flatMap((colour) => [...parts(colour)]))),
    chunk('IDAT', deflateSync(Buffer.concat(indexed), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function read(png: Buffer): { header: Buffer; data: Buffer } {
  const chunks: { type: string; body: Buffer }[] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), body: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const of = (type: string) => Buffer.concat(chunks.filter((each) => each.type === type).map(({ body }) => body));
  return { header: of('IHDR'), data: of('IDAT') };
}

/** The rows of a picture as they were before PNG wrote down only differences to the left and above. */
function unfilter(data: Buffer, length: number, step: number): Buffer[] {
  const rows: Buffer[] = [];
  for (let at = 0; at < data.length; at += length + 1) {
    const row = Buffer.from(data.subarray(at + 1, at + 1 + length));
    const above = rows.at(-1) ?? Buffer.alloc(length);
    for (let x = 0; x < length; x += 1) {
      const [left, up, corner] = [row[x - step] ?? 0, above[x] ?? 0, above[x - step] ?? 0];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][data[at] ?? 0] ?? 0;
      row[x] = (row[x] ?? 0) + guess;
    }
    rows.push(row);
  }
  return rows;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function mostFrequent(pixels: readonly (readonly number[])[]): number[] {
  const counts = new Map<number, number>();
  for (const row of pixels) for (const colour of row) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  return [...counts.entries()]
    .sort(([, a], [, b]) => b - a)
    .slice(0, COLOURS)
    .map(([colour]) => colour);
}

function indexOf(colour: number, palette: readonly number[], known: Map<number, number>): number {
  const found = known.get(colour);
  if (found !== undefined) return found;
  const distances = palette.map((each) => distance(each, colour));
  const nearest = distances.indexOf(Math.min(...distances));
  known.set(colour, nearest);
  return nearest;
}

function distance(a: number, b: number): number {
  const [one, other] = [parts(a), parts(b)];
  return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2;
}

function parts(colour: number): readonly [number, number, number] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
