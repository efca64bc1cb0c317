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
