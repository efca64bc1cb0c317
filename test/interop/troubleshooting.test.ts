import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../src/shared/errors.ts';

const PAGE = readFileSync('docs/troubleshooting.md', 'utf8');
const SOURCE = globSync('src/**/*.ts')
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** What systemd says, and what the program puts together. */
const ELSEWHERE = ['Assertion failed on job for hyperstudy-warehouse.service', 'needs Node.js 22.19 or newer'];

describe('troubleshooting.md', () => {
  it('has a heading for every code, and for no other', () => {
    const named = [...PAGE.matchAll(/^### `(\w+)`$/gm)].map(([, code = '']) => code);
    expect(named.toSorted()).toEqual(Object.keys(CODES).sort());
  });

  it('quotes messages as the program writes them', () => {
    const quoted = [...PAGE.matchAll(/^- `([^`]+)`/gm)].map(([, message = '']) => message);
    expect(quoted.length).toBeGreaterThan(40);
    const written = SOURCE.replaceAll(/\$\{[^}]*\}/g, '');
    expect(quoted.filter((message) => !ELSEWHERE.includes(message) && !written.includes(message))).toEqual([]);
  });
});
