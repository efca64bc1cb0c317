import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { DAY_MS } from '../shared/time.ts';
import { createPrivate } from '../shared/private-files.ts';

/** What the API answered when it was asked for its description. */
const Copy = z.object({
  from: z.string(),
  /** Milliseconds since 1970 UTC. */
  at: z.number(),
  status: z.number(),
  text: z.string().optional(),
  /** Why there is no text. */
  why: z.string().optional(),
});
export type Copy = z.infer<typeof Copy>;

/** It is asked for once in so long a time. */
const KEPT_MS = DAY_MS;

/** Where the copy is: beside the warehouse. */
export function copyPath(warehouse: string): string {
  return `${warehouse}.openapi.json`;
}

/** The copy of the last day; undefined where there is none of that address, or it cannot be read. */
export function readCopy(path: string, from: string, now: number): Copy | undefined {
  try {
    const copy = Copy.parse(JSON.parse(readFileSync(path, 'utf8')));
    return copy.from === from && copy.at <= now && now - copy.at < KEPT_MS ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a copy for its owner; without a folder that can be written it is asked for again the next time. */
export function keepCopy(path: string, copy: Copy): void {
  try {
    const part = `${path}.part`;
    rmSync(part, { force: true });
    createPrivate(part);
    writeFileSync(part, JSON.stringify(copy));
    renameSync(part, path);
  } catch {
    // The description is read all the same.
  }
}
