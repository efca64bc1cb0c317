import { Writable } from 'node:stream';
import { cleanText } from '../shared/clean-text.ts';

/** Where a command writes: text for people and JSON documents, cleaned of what would act on a terminal. */
export interface Output {
  write(text: string): void;
  /** For what is no text: a program's own data, and bars that move the cursor. */
  readonly stream: NodeJS.WriteStream;
}

export function outputTo(stream: NodeJS.WriteStream): Output {
  return { stream, write: (text) => void stream.write(cleanText(text)) };
}

/** Data go out as they are, except to a terminal, on which they would act. */
export function dataTo({ stream }: Output): Writable {
  if (!stream.isTTY) return stream;
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => void stream.write(cleanText(text), done),
  });
}

/** Many small writes would cost more than the rows themselves. */
const BATCH_CHARS = 65_536;

export function* batched(lines: Iterable<string>): Generator<string> {
  let batch = '';
  for (const line of lines) {
    batch += line;
    if (batch.length >= BATCH_CHARS) {
      yield batch;
      batch = '';
    }
  }
  if (batch !== '') yield batch;
}
