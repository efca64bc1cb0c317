import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { DATA_TYPE_OPTIONS } from '../../src/datasets/registry.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { temporaryFolder } from './lab.ts';

/** A key in the right form. */
export const KEY = `hst_test_${'a1B2'.repeat(16)}`;

/** The configuration of a file that holds this text. @throws WarehouseError what is wrong in it. */
export function load(yaml: string, env: Record<string, string> = { HYPERSTUDY_API_KEY: KEY }, mode = 0o644): Config {
  const path = join(temporaryFolder(), 'config.yaml');
  writeFileSync(path, yaml);
  chmodSync(path, mode);
  return loadConfig({ path, env, dataTypes: DATA_TYPE_OPTIONS, needsKey: true });
}

/** What is wrong in it; an error when nothing is. */
export function problem(yaml: string, env?: Record<string, string>, mode?: number): WarehouseError {
  try {
    load(yaml, env, mode);
  } catch (error) {
    if (error instanceof WarehouseError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}
