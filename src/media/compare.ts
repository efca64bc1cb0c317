import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { heldFiles, placeOf, type HeldFile } from '../warehouse/media.ts';
import type { Db } from '../warehouse/open.ts';

/** What a comparison of a file with its row came to. */
export interface MediaVerdict {
  readonly file: HeldFile;
  readonly status: 'equal' | 'lost' | 'other size' | 'other content' | 'unreadable';
}

/** Compares the size and the SHA-256 of every file that is held with what was noted when it was downloaded. */
export async function* compareMedia(db: Db, signal: AbortSignal): AsyncGenerator<MediaVerdict> {
  for (const file of heldFiles(db)) {
    signal.throwIfAborted();
    yield { file, status: await verdict(file, placeOf(db, file.path)) };
  }
}

async function verdict({ bytes, sha256 }: HeldFile, path: string): Promise<MediaVerdict['status']> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'lost';
  if (stat.size !== bytes) return 'other size';
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch {
    return 'unreadable';
  }
  return hash.digest('hex') === sha256 ? 'equal' : 'other content';
}
