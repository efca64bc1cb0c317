import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildFolder } from '../../../../src/export/snapshot/place.ts';
import { temporaryFolder } from '../../../support/lab.ts';

/** A manifest that names no files besides itself. */
const MANIFEST = JSON.stringify({
  profile: 'data-package',
  name: 'a',
  title: 'a',
  description: '',
  created: '2026-01-12T09:00:00.000Z',
  resources: [],
  hyperstudy: {
    product: 'HyperStudy Warehouse',
    version: '0.2.0',
    schemaVersion: '1',
    options: {},
    experiments: [],
    complete: true,
    lacks: [],
    unreadable: [],
    accounting: [],
    withoutViews: [],
  },
});
const write = (text: string) => (draft: string) => {
  writeFileSync(join(draft, 'manifest.json'), MANIFEST);
  writeFileSync(join(draft, 'datapackage.json'), text);
  return Promise.resolve(text);
};
const read = (folder: string) => readFileSync(join(folder, 'datapackage.json'), 'utf8');

describe('a folder that is built beside its name', () => {
  it('gets its name when it is complete, and takes the place of the former one', async () => {
    const above = temporaryFolder();
    const target = join(above, 'a');
    expect(await buildFolder(target, write('first'))).toBe('first');
    await buildFolder(target, async (draft) => {
      await write('second')(draft);
      expect(read(target)).toBe('first');
    });
    expect(read(target)).toBe('second');
    expect(readdirSync(above)).toEqual(['a']);
    expect(statSync(target).mode & 0o777).toBe(0o700);
  });

  it('leaves the former one, and nothing else, when it fails', async () => {
    const above = temporaryFolder();
    const target = join(above, 'a');
    const fail = (draft: string) => {
      writeFileSync(join(draft, 'half'), 'half');
      return Promise.reject(new Error('the disk is full'));
    };
    await expect(buildFolder(target, fail)).rejects.toThrow('the disk is full');
    expect(readdirSync(above)).toEqual([]);
    await buildFolder(target, write('first'));
    await expect(buildFolder(target, fail)).rejects.toThrow('the disk is full');
    expect(read(target)).toBe('first');
    expect(readdirSync(above)).toEqual(['a']);
  });

  it('clears away what a kill left, and puts the former one back after a kill between the two renames', async () => {
    const above = temporaryFolder();
    const target = join(above, 'a');
    await buildFolder(target, write('first'));
    const site = join(above, '.a.part');
    mkdirSync(join(site, 'new'), { recursive: true });
    writeFileSync(join(site, 'new', 'half'), 'half');
    renameSync(target, join(site, 'former'));
    await expect(buildFolder(target, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(read(target)).toBe('first');
    expect(readdirSync(above)).toEqual(['a']);
  });

  it('replaces nothing that is not only a snapshot', async () => {
    const above = temporaryFolder();
    const target = join(above, 'a');
    writeFileSync(target, 'a file');
    await expect(buildFolder(target, write(''))).rejects.toThrow('already exists and is not a folder');
    const folder = join(above, 'b');
    mkdirSync(folder);
    writeFileSync(join(folder, 'thesis.docx'), 'years of work');
    await expect(buildFolder(folder, write(''))).rejects.toThrow('is not a snapshot: it has no manifest.json');
    writeFileSync(join(folder, 'manifest.json'), MANIFEST);
    await expect(buildFolder(folder, write(''))).rejects.toThrow(
      'contains what is not part of a snapshot: thesis.docx',
    );
    expect(existsSync(join(folder, 'thesis.docx'))).toBe(true);
  });

  it('is built by one process at a time', async () => {
    const above = temporaryFolder();
    const target = join(above, 'a');
    await buildFolder(target, async (draft) => {
      await expect(buildFolder(target, write('other'))).rejects.toMatchObject({ code: 'WAREHOUSE_BUSY' });
      await write('first')(draft);
    });
    expect(read(target)).toBe('first');
  });
});
