import { join } from 'node:path';

/** The path of a file of this package; `src/shared`, and `dist/chunks` after a build, are two levels below its top. */
export function packaged(...parts: readonly string[]): string {
  return join(import.meta.dirname, '..', '..', ...parts);
}
