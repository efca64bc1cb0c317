/**
 * The least that a first read can cost here: the same table with the same indexes, by better-sqlite3 alone. It believes
 * every answer, keeps no position, and knows nothing of earlier versions.
 *
 * `node bench/floor.ts read|poll URL` in a folder with `schema.json`, the statements that make the table.
 */
import { readFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { rating } from './ratings.ts';

type Rating = ReturnType<typeof rating>;
interface Page {
  readonly data: readonly Rating[];
  readonly metadata: { readonly pagination: { readonly hasMore: boolean; readonly nextOffset?: number } };
}
export interface FloorSchema {
  readonly table: string;
  readonly indexes: readonly string[];
  /** Built after the first read. */
  readonly queryIndexes: readonly string[];
}

const PAGES_A_TRANSACTION = 10;
const COLUMNS = [
  ...['experiment_id', 'key', 'rating_id', 'room_id', 'participant_id', 'component_id', 'timestamp', 'onset', 'value'],
  ...['normalized_value', 'raw_value', 'scale_min', 'scale_max', 'first_seen_at', 'synced_at', 'synced_run'],
  ...['timestamp_unix', 'onset_s'],
];

const [, , mode, url = ''] = process.argv;
if (mode === 'read') for (const end of ['', '-wal', '-shm']) rmSync(`floor.db${end}`, { force: true });
const db = new Database('floor.db');
if (mode === 'read') await readAll();
else await poll();
db.close();

async function readAll(): Promise<void> {
  const schema = JSON.parse(readFileSync('schema.json', 'utf8')) as FloorSchema;
  db.pragma('page_size = 8192');
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = normal');
  db.pragma('wal_autocheckpoint = 4000');
  db.exec(schema.table);
  for (const sql of schema.indexes) db.exec(sql);
  const store = storing();
  let pages: Page[] = [];
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page: Page = await ask(`&offset=${offset}`);
    pages.push(page);
    offset = page.metadata.pagination.hasMore ? page.metadata.pagination.nextOffset : undefined;
    if (pages.length < PAGES_A_TRANSACTION && offset !== undefined) continue;
    store(pages);
    pages = [];
  }
  for (const sql of schema.queryIndexes) db.exec(sql);
}

/** What a script that keeps its data would do: ask for what came since the newest row. */
async function poll(): Promise<void> {
  const newest = String(db.prepare('SELECT max(timestamp) FROM ratings_continuous').pluck().get());
  storing()([await ask(`&startTime=${newest}`)]);
}

async function ask(more: string): Promise<Page> {
  const response = await fetch(
    `${url}/data/ratings/continuous/experiment/exp_1?limit=1000&sort=timestamp&order=asc${more}`,
  );
  return (await response.json()) as Page;
}

function storing(): (pages: readonly Page[]) => void {
  const insert = db.prepare(
    `INSERT INTO ratings_continuous (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
  );
  const now = new Date().toISOString();
  return db.transaction((pages: readonly Page[]) => {
    for (const { data } of pages) {
      for (const r of data) {
        insert.run(
          ...[r.experimentId, `${r.roomId}/${r.ratingId}`, r.ratingId, r.roomId, r.participantId, r.componentId],
          ...[r.timestamp, r.onset, r.value, r.normalizedValue, r.rawValue, r.scaleMin, r.scaleMax, now, now, 1],
          ...[Date.parse(r.timestamp) / 1000, r.onset / 1000],
        );
      }
    }
  });
}
