import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { packaged } from './package.ts';

/** The version in package.json. */
export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(packaged('package.json'), 'utf8'))).version;
