import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { z } from 'zod';
import { count } from '../../shared/count.ts';
import { queryValues, quote } from '../../shared/sqlite.ts';
import { fileDigest, strangersIn } from './files.ts';
import { readManifest, tablesOfFile, type Resource } from './manifest.ts';

/** What a comparison of the files with their manifest found. */
export interface Verified {
  readonly files: number;
  readonly rows: number;
  /** A sentence for each thing that is not as it says. */
  readonly differences: readonly string[];
}

/** Compares the files of a snapshot with its manifest: bytes, checksums, and the rows that are really in them. */
export async function verifySnapshot(folder: string, signal: AbortSignal): Promise<Verified> {
  const { resources, files } = readManifest(folder);
  const strange = strangersIn(folder, files).map((name) => `${name}: the manifest does not name it.`);
  const differences = [...strange, ...(await twinDiffers(folder))];
  let rows = 0;
  for (const resource of resources) {
    const found = existsSync(join(folder, resource.path))
      ? await compare(folder, resource, signal)
      : [`${resource.path}: is missing.`];
    differences.push(...found);
    rows += tablesOfFile(resource).reduce((sum, table) => sum + table.rows, 0);
  }
  return { files: resources.length, rows, differences };
}

/** The manifest is there under two names. */
async function twinDiffers(folder: string): Promise<string[]> {
  if (!existsSync(join(folder, 'datapackage.json'))) return ['datapackage.json: is missing.'];
  const [one, other] = await Promise.all(
    ['manifest.json', 'datapackage.json'].map((name) => fileDigest(join(folder, name))),
  );
  return one?.sha256 === other?.sha256 ? [] : ['datapackage.json: is not the same as manifest.json.'];
}

async function compare(folder: string, resource: Resource, signal: AbortSignal): Promise<string[]> {
  const path = join(folder, resource.path);
  if (!statSync(path).isFile()) return [`${resource.path}: is not a file.`];
  const { bytes, sha256 } = await fileDigest(path, signal);
  if (bytes !== resource.bytes)
    return [`${resource.path}: has ${count(bytes)} bytes instead of ${count(resource.bytes)}.`];
  if (`sha256:${sha256}` !== resource.hash) return [`${resource.path}: has other bytes (its SHA-256 is ${sha256}).`];
  const held = await countRows(path, resource, signal);
  return tablesOfFile(resource).flatMap(({ name, rows }) => {
    const found = held.get(name);
    if (found === rows) return [];
    return [
      `${resource.path}: ${name} has ${found === undefined ? 'no table' : `${count(found)} rows`} instead of ${count(rows)} rows.`,
    ];
  });
}

/** How many rows each table of a file has. */
async function countRows(path: string, resource: Resource, signal: AbortSignal): Promise<Map<string, number>> {
  switch (resource.format) {
    case 'sqlite':
      return countInSqlite(path, resource);
    case 'csv':
      return new Map([[resource.name, (await countLines(path, signal)) - 1]]);
    case 'json':
    case 'markdown':
      return new Map();
    case 'parquet': {
      const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
      return new Map([[resource.name, Number(num_rows)]]);
    }
  }
}

function countInSqlite(path: string, resource: Resource): Map<string, number> {
  const db = new Database(path, { readonly: true });
  try {
    const held = new Set(queryValues(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", z.string()).all());
    const names = tablesOfFile(resource)
      .map(({ name }) => name)
      .filter((name) => held.has(name));
    return new Map(
      names.map((name) => [name, queryValues(db, `SELECT count(*) FROM ${quote(name)}`, z.number()).get() ?? 0]),
    );
  } finally {
    db.close();
  }
}

const [QUOTE, NEWLINE] = [0x22, 0x0a];

/** Lines of a CSV file; a line break in quotes ends none. */
async function countLines(path: string, signal: AbortSignal): Promise<number> {
  let lines = 0;
  let isQuoted = false;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
    if (!Buffer.isBuffer(chunk)) continue;
    for (const byte of chunk) {
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === NEWLINE && !isQuoted) lines += 1;
    }
  }
  return lines;
}
