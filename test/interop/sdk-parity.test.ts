import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { lab } from '../support/daemon-lab.ts';
import { installSdk, runSdk } from '../support/sdk.ts';

interface Compared {
  readonly call: string;
  readonly where: string;
  readonly rows: readonly [number, number];
  readonly columns: number;
  /** Columns of the SDK with a value that the warehouse has nowhere. */
  readonly missing: readonly string[];
  readonly differ: readonly (readonly string[])[];
}

const PAGE = readFileSync('docs/sdk.md', 'utf8');
const missing = installSdk();
if (missing !== undefined) console.log(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)('what the official Python SDK gives', () => {
  it('is in the warehouse, row by row and column by column, as docs/sdk.md says', async () => {
    const { cwd, db, simulator } = await lab({ world: { experiments: 2, seed: 7 } });
    const synced = await hsw(['sync', 'now'], { cwd });
    expect(synced.status, synced.stderr).toBe(0);
    const ran = await runSdk(join(import.meta.dirname, 'sdk_parity.py'), {
      env: { HYPERSTUDY_API_KEY: simulator.key, HYPERSTUDY_BASE_URL: simulator.url, WAREHOUSE: db },
    });
    expect(ran.status, ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as { results: readonly Compared[] };
    expect(results.length).toBe(21);
    for (const { call, where, rows, columns, missing, differ } of results) {
      expect(rows[0], call).toBeGreaterThan(0);
      expect({ call, rows: rows[1], missing, differ }).toEqual({ call, rows: rows[0], missing: [], differ: [] });
      expect(PAGE.replaceAll(/ +/g, ' ')).toContain(`| \`${call}\` | ${where} | ${rows[0]} | ${columns} |`);
    }
  }, 300_000);
});
