import { writeFileSync } from 'node:fs';
import { WarehouseError } from '../shared/errors.ts';
import { claimFile } from '../shared/private-files.ts';

/**
 * Writes a file that was named on the command line; a new one is for its owner, and its folder's group where the folder
 * says so.
 * @throws WarehouseError USAGE where the file cannot be written.
 */
export function writeFile(path: string, text: string): void {
  try {
    claimFile(path);
    writeFileSync(path, text);
  } catch (cause) {
    if (cause instanceof WarehouseError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WarehouseError('USAGE', `${path} could not be written (${why}).`, {
      hint: 'Check its name, the disk space and who may write to its folder, then run the command again.',
      cause,
    });
  }
}
