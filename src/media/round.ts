import { renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Client } from '../api/client.ts';
import { PRIORITIES } from '../budget/priorities.ts';
import { addressProblem } from '../config/fields.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { interrupted, isOutage, stopsEverything, WarehouseError } from '../shared/errors.ts';
import { isObject } from '../shared/json.ts';
import type { Log } from '../shared/log.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { Priority } from '../shared/priority.ts';
import { createPrivate, makeFolder, refuseUnsafe, refuseUnsafeFolders } from '../shared/private-files.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { formatTime, HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import { dueFiles, heldFiles, PART, placeOf, refreshZeros, storedPath, type WantedFile } from '../warehouse/media.ts';
import { plainError } from '../warehouse/open.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { dropPart, fetchFile, explained, type Begun, type Fetched } from './fetch.ts';
import { sdkName, stableName } from './names.ts';
import { createPace, type Pace } from './pace.ts';
import { Erased, MediaFailure, problemOf, PROBLEMS, type Problem } from './problems.ts';

export interface MediaOptions {
  readonly config: Config;
  readonly warehouse: Pick<Warehouse, 'db'>;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How many files are downloaded at most. */
  readonly most: number;
  readonly priority?: Priority | undefined;
  readonly pace?: Pace;
  readonly onFile?: ((file: { readonly path: string; readonly problem?: Problem }) => void) | undefined;
}

/** What a round did. */
export interface MediaRound {
  readonly fetched: number;
  readonly bytes: number;
  readonly failed: number;
  /** Why it ended before everything was tried. */
  readonly stopped?: WarehouseError;
}

/** The tries in a row at one file; each costs a request for an address. */
const TRIES = 3;
/** The longest time for one try; the next one continues. */
const MOST_MS = 30 * MINUTE_MS;
const FIRST_WAIT_MS = MINUTE_MS;
const LONGEST_WAIT_MS = 24 * HOUR_MS;

/** What is wanted by a configuration. */
export function wantedBy({ media, experiments }: Config) {
  const ids = experiments.flatMap((one) => ('id' in one ? [one.id] : []));
  return { types: media.types, experiments: experiments.length > ids.length ? undefined : ids };
}

/** Downloads the files that are missing, one after the other, so that what is new is read meanwhile. */
export async function fetchMedia(options: MediaOptions): Promise<MediaRound> {
  const { config, warehouse, clock, most, signal } = options;
  const { db } = warehouse;
  const pace = options.pace ?? createPace(config.media.maxBytesPerHour, clock);
  noteLost(options);
  refreshZeros(db);
  let [fetched, bytes, failed] = [0, 0, 0];
  for (const file of dueFiles(db, { ...wantedBy(config), now: clock.now(), most })) {
    if (signal.aborted) throw interrupted();
    try {
      const done = await fetchOne({ ...options, pace }, file);
      if (done === 'failed') failed++;
      else if (done !== 'erased') [fetched, bytes] = [fetched + 1, bytes + done];
    } catch (error) {
      // No other file would do better.
      const stopped = error instanceof WarehouseError ? error : plainError(db.name, error);
      if (stopped !== undefined && stopped.code !== 'INTERRUPTED')
        return { fetched, bytes, failed: failed + 1, stopped };
      throw error;
    }
  }
  refreshZeros(db);
  return { fetched, bytes, failed };
}

/** Files that a person moved or cut are downloaded again. What is in them is compared by `hsw verify --media` only. */
function noteLost({ warehouse: { db } }: MediaOptions): void {
  const lose = command(
    db,
    "UPDATE media_files SET status = 'missing', problem = ?, retry_at = NULL WHERE experiment_id = ? AND key = ?",
  );
  for (const { experimentId, key, path, bytes } of heldFiles(db)) {
    const size = statSync(placeOf(db, path), { throwIfNoEntry: false })?.size;
    if (size !== bytes) lose(size === undefined ? 'lost' : 'damaged', experimentId, key);
  }
}

/** Downloads one file. @returns the bytes that came, or `failed`: the row then says why. */
async function fetchOne(
  options: MediaOptions & { readonly pace: Pace },
  wanted: WantedFile,
): Promise<number | 'failed' | 'erased'> {
  if (isErased(options, wanted)) return 'erased';
  const path = claim(options, wanted);
  refusePlace(options, path);
  const { onFile, log } = options;
  for (let tried = 1; ; tried++) {
    try {
      const url = await addressOf(options, wanted);
      const got = await fetchInto(options, wanted, path, url);
      if (!isAsSaid(options, wanted, got)) {
        await dropPart(placeOf(options.warehouse.db, path) + PART, 'any');
        throw new MediaFailure('other-size');
      }
      if (!(await place(options, wanted, path, got))) return 'erased';
      onFile?.({ path });
      log.info({ experiment: wanted.experimentId, bytes: got.bytes }, 'a recording was downloaded');
      return got.received;
    } catch (error) {
      if (error instanceof Erased) return 'erased';
      const problem = error instanceof MediaFailure ? error.problem : aboutOne(error);
      if (problem === undefined) throw error;
      if (PROBLEMS[problem].again && tried < TRIES) continue;
      fail(options, wanted, problem);
      await dropPart(placeOf(options.warehouse.db, path) + PART, 'empty');
      onFile?.({ path, problem });
      log.warn(
        { experiment: wanted.experimentId, problem },
        `a recording was not downloaded: ${PROBLEMS[problem].text}`,
      );
      return 'failed';
    }
  }
}

function aboutOne(error: unknown): Problem | undefined {
  if (!(error instanceof WarehouseError) || isOutage(error.code) || stopsEverything(error.code)) return undefined;
  return problemOf(error);
}

/** Whether the person was erased since the round began, or HyperStudy deleted the recording: nothing may come of it. */
function isErased({ warehouse: { db } }: MediaOptions, { experimentId, key }: WantedFile): boolean {
  const sql = `SELECT 1 FROM recordings r WHERE experiment_id = ? AND key = ? AND NOT EXISTS (
    SELECT 1 FROM media_files m WHERE m.experiment_id = r.experiment_id AND m.key = r.key AND m.status = 'erased')`;
  return queryValues(db, sql, z.number()).get(experimentId, key) === undefined;
}

/** The name of the file, which stays once it was given; from now on the row names what is on the disk. */
function claim({ config, warehouse: { db } }: MediaOptions, wanted: WantedFile): string {
  if (wanted.path !== null) return wanted.path;
  const { experimentId, key, recordingId, egressId } = wanted;
  const named = { ...wanted, recordingId: recordingId ?? egressId ?? key };
  const { names, path: folder } = config.media;
  const claimed = command(
    db,
    `INSERT INTO media_files (experiment_id, key, recording_id, room_id, participant_id, type, status, path)
     VALUES (?, ?, ?, ?, ?, ?, 'missing', ?) ON CONFLICT DO NOTHING`,
  );
  const preferred = names === 'sdk' ? [sdkName(named)] : [];
  const spare = stableName({ ...named, recordingId: `${named.recordingId} ${key}` });
  for (const name of [...preferred, stableName(named), spare]) {
    if (name === undefined) continue;
    const path = storedPath(db, join(folder, name));
    const { roomId, participantId, type } = wanted;
    if (claimed(experimentId, key, named.recordingId, roomId, participantId, type, path) === 1) return path;
  }
  throw new Error('a recording has no name for its file');
}

const DOWNLOAD = /^\/?(?:api\/v\d+\/)?(data\/recordings\/download\/[^/?#\s]+\/[^/?#\s]+)$/;

/** Asks the API for a short-lived address; the key goes to the API alone. */
async function addressOf(
  { client, config, signal, priority = PRIORITIES.media.rank }: MediaOptions,
  { downloadPath, roomId, egressId, recordingId, experimentId }: WantedFile,
): Promise<URL> {
  const id = egressId ?? recordingId;
  const own = roomId === null || id === null ? undefined : [roomId, id].map(encodeURIComponent).join('/');
  const path =
    DOWNLOAD.exec(downloadPath ?? '')?.[1] ?? (own === undefined ? undefined : `data/recordings/download/${own}`);
  if (path === undefined) throw new MediaFailure('no-address');
  const what = `the address of a recording of ${experimentId}`;
  const { data } = await client.get({ path: `/${path}`, endpoint: 'recordings', priority, signal, what });
  const [answer] = data;
  const text = answer !== undefined && isObject(answer) ? answer['url'] : undefined;
  if (typeof text !== 'string' || !URL.canParse(text)) throw new MediaFailure('no-address');
  const url = new URL(text);
  // Only a HyperStudy on this computer may lead to this computer.
  const leadsHome = isLoopback(url.hostname) && !isLoopback(new URL(config.api.baseUrl).hostname);
  if (addressProblem(url) !== undefined || leadsHome) throw new MediaFailure('unsafe-address');
  return url;
}

/** Before a request is spent: where another user chose a folder, or a folder has the file's name. */
function refusePlace({ config, warehouse: { db } }: MediaOptions, path: string): void {
  const file = placeOf(db, path);
  try {
    refuseUnsafeFolders(config.media.path, file);
    refuseUnsafe(file);
  } catch (error) {
    throw explained(error, undefined, file);
  }
}

async function fetchInto(
  { config, warehouse: { db }, pace, signal }: MediaOptions & { readonly pace: Pace },
  { experimentId, key }: WantedFile,
  path: string,
  url: URL,
): Promise<Fetched> {
  const part = placeOf(db, path) + PART;
  const begun = begunOf(db, experimentId, key);
  try {
    makeFolder(dirname(part));
    refuseUnsafe(part);
    createPrivate(part);
  } catch (error) {
    throw explained(error, signal, part);
  }
  const row = command(db, 'UPDATE media_files SET etag = ?, total_bytes = ? WHERE experiment_id = ? AND key = ?');
  return fetchFile(url, {
    part,
    begun,
    onBegin: ({ etag, totalBytes }) => void row(etag, totalBytes, experimentId, key),
    pace: (bytes, ending) => {
      begunOf(db, experimentId, key);
      return pace(bytes, ending);
    },
    timeoutMs: config.api.timeoutMs,
    mostMs: MOST_MS,
    signal,
  });
}

function begunOf(db: Warehouse['db'], experimentId: string, key: string): Begun {
  const Row = z.object({ etag: z.string().nullable(), totalBytes: z.number().nullable() });
  const sql = `SELECT etag, total_bytes AS totalBytes FROM media_files
    WHERE experiment_id = ? AND key = ? AND status <> 'erased'`;
  const row = queryRows(db, sql, Row).get(experimentId, key);
  if (row === undefined) throw new Erased();
  return row;
}

/** Whether the size is what HyperStudy says; where it is not, two readings that brought the same file are believed. */
function isAsSaid(
  { warehouse: { db } }: MediaOptions,
  { experimentId, key, fileSize, sha256 }: WantedFile,
  got: Fetched,
): boolean {
  if (fileSize === null || fileSize === got.bytes || sha256 === got.sha256) return true;
  const note = "UPDATE media_files SET sha256 = ? WHERE experiment_id = ? AND key = ? AND status = 'missing'";
  command(db, note)(got.sha256, experimentId, key);
  return false;
}

/** Gives a whole file its final name and says so in its row. @returns false where the person was erased meanwhile. */
async function place(
  { warehouse: { db }, clock }: MediaOptions,
  { experimentId, key, fileSize, sha256, fetchedAt }: WantedFile,
  path: string,
  got: Fetched,
): Promise<boolean> {
  const file = placeOf(db, path);
  try {
    begunOf(db, experimentId, key);
    renameSync(file + PART, file);
    const folder = await open(dirname(file));
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    throw explained(error, undefined, file);
  }
  const isChanged = fetchedAt !== null && sha256 !== got.sha256;
  const isOther = fileSize !== null && fileSize !== got.bytes;
  const hold = command(
    db,
    `UPDATE media_files SET status = 'held', bytes = ?, sha256 = ?, said_bytes = ?, fetched_at = ?, problem = ?,
       tries = 0, retry_at = NULL, etag = NULL, total_bytes = NULL
     WHERE experiment_id = ? AND key = ? AND status <> 'erased'`,
  );
  const problem: Problem | null = isChanged ? 'changed' : isOther ? 'other-size' : null;
  return hold(got.bytes, got.sha256, fileSize, formatTime(clock.now()), problem, experimentId, key) === 1;
}

/** Notes a failure, and when to try again: later each time. A file that is held stays so. */
function fail(
  { warehouse: { db }, clock }: MediaOptions,
  { experimentId, key, tries }: WantedFile,
  problem: Problem,
): void {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 20), LONGEST_WAIT_MS);
  const update = command(
    db,
    "UPDATE media_files SET problem = ?, tries = tries + 1, retry_at = ? WHERE experiment_id = ? AND key = ? AND status <> 'erased'",
  );
  update(problem, formatTime(clock.now() + waitMs), experimentId, key);
}
