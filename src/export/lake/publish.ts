import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { z } from 'zod';
import { WarehouseError } from '../../shared/errors.ts';
import { queryRows } from '../../shared/sqlite.ts';
import { formatTime, parseTime } from '../../shared/time.ts';
import { VERSION } from '../../shared/version.ts';
import type { Db } from '../../warehouse/open.ts';
import { openWorkshop } from './claim.ts';
import { collect, ORPHAN_MS } from './collect.ts';
import {
  labFolder,
  LakeStream,
  manifestName,
  manifestText,
  readLake,
  type Dropped,
  type LakeFile,
  type LakeManifest,
  type Partition,
  type Published,
} from './manifest.ts';
import { erasuresIn } from './marks.ts';
import { draft, placeOf, type Drafted, type Made } from './partitions.ts';
import type { Store } from './store.ts';

/** What is to be published. */
export interface Publication {
  readonly lab: string;
  /** How long files stay that the manifest no longer names, for those who are still reading them. */
  readonly graceMs: number;
  /** Whether partitions are written again that did not change. */
  readonly all: boolean;
  /** What is known of the state of the data that a transaction sees. */
  readonly about: () => {
    readonly experiments: readonly string[];
    readonly isComplete: boolean;
    readonly lacks: readonly string[];
    readonly unreadable: readonly string[];
  };
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly rows: (table: string, written: number, of: number) => void;
}

/** What a publication did. */
export interface PublishedReport {
  readonly manifest: LakeManifest;
  /** Whether there is a new manifest. */
  readonly isNew: boolean;
  /** How many partitions were written, and how many were found as they are. */
  readonly written: number;
  readonly unchanged: number;
  readonly files: number;
  readonly bytes: number;
  readonly removed: number;
}

/** How often it begins again where another one has published meanwhile. */
const TRIES = 5;

/**
 * Publishes the state of a warehouse as a lake. Files are never changed and never named twice; the manifest, which comes
 * last and in one step, says which of them are the data. It is replaced only where it is still the one that was read
 * before the transaction began, so that what is published never goes back to an earlier state.
 */
export async function publish(db: Db, store: Store, publication: Publication): Promise<PublishedReport> {
  const workshop = openWorkshop(store.workshop);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const base = await readLake(store, publication.lab);
      const done = await attempt(db, { store, publication, base, folder: workshop.folder });
      if (done !== undefined) return done;
    }
  } finally {
    workshop.close();
  }
  throw new WarehouseError('WAREHOUSE_BUSY', `Others publish to ${store.place} at the same time, again and again.`, {
    hint: 'Publish again when they have finished; each lab needs a name of its own (--lab).',
  });
}

interface Attempt {
  readonly store: Store;
  readonly publication: Publication;
  readonly base: Published | undefined;
  readonly folder: string;
}

async function attempt(db: Db, parts: Attempt): Promise<PublishedReport | undefined> {
  const { store, publication, base } = parts;
  const seen = await read(db, parts);
  publication.signal.throwIfAborted();
  const put = await putAll(seen.partitions, parts);
  const now = publication.now();
  const dropped = droppedNow(base?.manifest, put.partitions, {
    erasures: seen.erasures,
    graceMs: publication.graceMs,
    now,
  });
  const manifest: LakeManifest = {
    lake: 1,
    product: `HyperStudy Warehouse ${VERSION}`,
    lab: publication.lab,
    published: formatTime(now),
    ...seen,
    partitions: put.partitions,
    dropped,
  };
  const isNew = !isSame(base?.manifest, manifest);
  if (isNew) {
    publication.signal.throwIfAborted();
    if (!(await store.replace(manifestName(publication.lab), manifestText(manifest), base?.version))) return undefined;
  }
  const removed = await collect(store, isNew ? manifest : (base?.manifest ?? manifest), now);
  return {
    manifest,
    isNew,
    written: seen.partitions.filter((one) => 'made' in one).length,
    unchanged: seen.partitions.filter((one) => 'former' in one).length,
    files: put.files,
    bytes: put.bytes,
    removed,
  };
}

/** Reads one state of the data; the transaction ends before anything is sent anywhere. */
async function read(db: Db, { publication, base, folder }: Attempt) {
  const { all, about, signal, rows } = publication;
  db.exec('BEGIN');
  try {
    const { experiments, isComplete, lacks, unreadable } = about();
    const former = all ? [] : (base?.manifest.partitions ?? []);
    const { tables, partitions } = await draft(db, { experiments, former, folder, signal, rows });
    return {
      complete: isComplete,
      lacks: [...lacks],
      unreadable: [...unreadable],
      erasures: erasuresIn(db),
      tables,
      partitions,
      streams: streamsIn(db),
    };
  } finally {
    db.exec('ROLLBACK');
  }
}

function streamsIn(db: Db): LakeStream[] {
  const sql = `SELECT experiment_id AS experiment, data, table_name AS "table", scope, complete, reason, rows, api_total AS apiTotal,
      quarantined_records AS quarantined, withheld_rows AS withheld, missing_rows AS missing, data_as_of AS dataAsOf,
      verified_at AS verifiedAt, accounted_at AS accountedAt
    FROM _freshness ORDER BY 1, 2, 4`;
  return queryRows(db, sql, LakeStream as z.ZodType<LakeStream>).all();
}

async function putAll(drafted: readonly Drafted[], parts: Attempt) {
  const known = new Map((parts.base?.manifest.partitions ?? []).map((one) => [placeOf(one), one.files]));
  let [files, bytes] = [0, 0];
  const partitions: Partition[] = [];
  for (const one of drafted) {
    if ('former' in one) {
      partitions.push(one.former);
      continue;
    }
    const put: LakeFile[] = [];
    for (const made of one.files) {
      parts.publication.signal.throwIfAborted();
      const place = folderOf(parts.publication.lab, one.made);
      // The same content may have a name already, under which it is published.
      const there = known.get(placeOf(one.made))?.find(({ sha256 }) => sha256 === made.sha256);
      const path = there?.path ?? (await putFile(place, made, parts));
      if (there === undefined) [files, bytes] = [files + 1, bytes + made.bytes];
      put.push({ path, sha256: made.sha256, bytes: made.bytes, rows: made.rows });
      rmSync(made.file, { force: true });
    }
    partitions.push({ ...one.made, files: put });
  }
  return { partitions, files, bytes };
}

/**
 * A file is named after its content. What has the name already may be about to be removed, unless it is new: it may be
 * what an interrupted publication has put. Otherwise the file gets another name, which nothing ever had.
 */
async function putFile(place: string, { file, sha256 }: Made, { store, base, publication }: Attempt): Promise<string> {
  const name = `${place}/${sha256}.parquet`;
  const isDropped = base?.manifest.dropped.some(({ path }) => path === name) === true;
  if (!isDropped) {
    if (await store.put(name, file, sha256)) return name;
    const at = await store.putAt(name);
    if (at !== undefined && publication.now() - at < ORPHAN_MS / 2) return name;
  }
  const other = `${place}/${sha256}-${randomBytes(4).toString('hex')}.parquet`;
  await store.put(other, file, sha256);
  return other;
}

function folderOf(lab: string, { table, experiment }: Pick<Partition, 'table' | 'experiment'>): string {
  return [labFolder(lab), `table=${escaped(table)}`, `experiment_id=${escaped(experiment)}`].join('/');
}

/** As Hive does, and readers that take partitions from paths undo. */
function escaped(text: string): string {
  return text.replaceAll(/[^\w.-]/gu, (char) =>
    [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** What the manifest before named, or had dropped, and this one does not name. */
function droppedNow(
  base: LakeManifest | undefined,
  partitions: readonly Partition[],
  { erasures, graceMs, now }: { readonly erasures: number; readonly graceMs: number; readonly now: number },
): Dropped[] {
  if (base === undefined) return [];
  const named = new Set(partitions.flatMap(({ files }) => files.map(({ path }) => path)));
  const fresh = base.partitions
    .flatMap(({ files }) => files.map(({ path }) => ({ path, until: formatTime(now + graceMs) })))
    .filter(({ path }) => !named.has(path));
  const former = base.dropped.filter(({ until }) => now - (parseTime(until) ?? 0) < ORPHAN_MS);
  // What may show someone who was erased does not wait for those who are reading.
  const isErased = erasures !== base.erasures;
  return [...former, ...fresh].map((one) => (isErased ? { ...one, until: formatTime(now) } : one));
}

function isSame(base: LakeManifest | undefined, now: LakeManifest): boolean {
  if (base === undefined) return false;
  const content = ({ tables, partitions, streams, dropped, lacks, erasures, complete, unreadable }: LakeManifest) =>
    JSON.stringify([tables, partitions, streams, dropped, lacks, erasures, complete, unreadable]);
  return content(base) === content(now);
}
