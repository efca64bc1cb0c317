import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivate } from '../../shared/private-files.ts';
import { csvLine, type Dialect } from '../csv.ts';
import { fileName, type Sink, type Writing } from './format.ts';
import type { Table } from './tables.ts';

/** Many small writes would cost more than the rows themselves. */
const BATCH_CHARS = 1_000_000;

/** A file of comma-separated values for each table. @param nameOf the file's name in the folder. */
export function csvFiles(
  folder: string,
  dialect: Dialect,
  nameOf = (table: string) => fileName(table, 'csv'),
): Writing {
  let file: number | undefined;
  const close = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    open({ name, columns }: Table): Sink {
      const path = join(folder, nameOf(name));
      createPrivate(path);
      const opened = openSync(path, 'w');
      file = opened;
      let batch =
        dialect.start +
        csvLine(
          columns.map((column) => column.name),
          dialect,
        );
      const flush = () => {
        writeAll(opened, Buffer.from(batch));
        batch = '';
      };
      return {
        write(row) {
          batch += csvLine(row, dialect);
          if (batch.length >= BATCH_CHARS) flush();
        },
        close() {
          flush();
          close();
        },
      };
    },
    finish: (tables) => tables.map((table) => ({ path: nameOf(table.name), tables: [table] })),
    abandon: close,
  };
}

/** A write may take less than it is given. */
function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}
