import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { VERSION } from '../../src/shared/version.ts';

const Versioned = z.object({ version: z.string() });

it('the version is the same wherever it is written, and the changelog tells of it', () => {
  const versions = [
    Versioned.parse(JSON.parse(readFileSync('package-lock.json', 'utf8'))).version,
    Versioned.parse(parse(readFileSync('CITATION.cff', 'utf8'))).version,
  ];
  expect(versions).toEqual([VERSION, VERSION]);
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const [, latest] = /^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$/m.exec(changelog) ?? [];
  expect(latest).toBe(VERSION);
  expect(changelog).toContain(`\n[${VERSION}]: `);
});
