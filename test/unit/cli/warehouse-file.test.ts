import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../src/cli/warehouse-file.ts';
import { openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('a file that is named as a warehouse', () => {
  it('is opened for reading only', () => {
    const path = join(temporaryFolder(), 'w.db');
    openBench(path).warehouse.close();
    const db = openFile(path);
    expect(() => db.exec('DELETE FROM _streams')).toThrow('readonly');
    db.close();
  });

  it('is refused where there is none, or where it is something else', () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(
      at('text.db'),
      'this is no database, but a text that is long enough to be taken for the head of one: '.repeat(9),
    );
    new Database(at('other.db')).exec('CREATE TABLE t (a)').close();
    writeFileSync(at('empty.db'), '');
    for (const name of ['no.db', '.']) expect(() => openFile(at(name))).toThrow(`There is no file ${at(name)}.`);
    for (const name of ['text.db', 'other.db', 'empty.db'])
      expect(() => openFile(at(name)), name).toThrow(`The file ${at(name)} is not a warehouse.`);
  });

  it('is left as it is where an earlier version wrote it, with a word on what to do', () => {
    const path = join(temporaryFolder(), 'old.db');
    writeFileSync(path, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
    copyFileSync(path, `${path}.before`);
    expect(() => openFile(path)).toThrow(
      expect.objectContaining({
        code: 'WAREHOUSE_OLDER',
        message: expect.stringContaining('was written by an earlier hyperstudy-warehouse.') as string,
        hint: expect.stringMatching(/^Nothing was changed\. Run `hsw sync now` where/) as string,
      }) as Error,
    );
    expect(readFileSync(path)).toEqual(readFileSync(`${path}.before`));
  });
});
