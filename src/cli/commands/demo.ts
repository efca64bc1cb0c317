import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { defaultConfig, type Config } from '../../config/schema.ts';
import { DATASETS, DATA_TYPES, DATA_TYPE_OPTIONS } from '../../datasets/registry.ts';
import { EXIT } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { formatDuration, HOUR_MS, MINUTE_MS } from '../../shared/time.ts';
import { runSync, type SyncResult } from '../../sync/run.ts';
import { tallied } from '../../sync/tally.ts';
import { startSimulator } from '../../simulator/server.ts';
import { acquireWriterLock } from '../../warehouse/lock.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import type { Command, Describe, CommandContext } from '../context.ts';
import { count } from '../../shared/count.ts';
import { table } from '../output.ts';
import { showProgress } from '../sync-progress.ts';

/** Three experiments with six rooms each; the last room of each opens between the two syncs. */
const WORLD = {
  seed: 2026,
  start: Date.parse('2026-01-12T09:00:00.000Z'),
  experiments: 3,
  roomsPerExperiment: 6,
  participantsPerRoom: 4,
  videoSeconds: 360,
  roomEveryMs: HOUR_MS,
};
const BEFORE_LAST_ROOM = WORLD.start + 5 * WORLD.roomEveryMs - MINUTE_MS;
const AFTER_LAST_ROOM = WORLD.start + 7 * WORLD.roomEveryMs;

interface DemoFlags {
  readonly out: string;
}

export const describe: Describe = (program, run) => {
  program
    .option('--out <file>', 'the SQLite file to create', './data/demo.db')
    .addHelpText('after', '\nExample:\n  hsw demo')
    .action((flags: DemoFlags) => run(demo, flags));
};

/** `hsw demo`: two syncs from end to end, against the simulator in this process. */
const demo: Command<DemoFlags> = async (context, { out }) => {
  const path = resolve(out);
  // Fails if another process, perhaps a daemon, is writing the file.
  acquireWriterLock(path).release();
  for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(path + suffix, { force: true });
  let now = BEFORE_LAST_ROOM;
  const simulator = await startSimulator({ world: WORLD, declared: DATASETS, now: () => now, meterNow: Date.now });
  const config = demoConfig(path, simulator.url, simulator.key);
  try {
    const say = (text: string) => context.json || context.stdout.write(text);
    say(
      `A simulated HyperStudy with ${WORLD.experiments} experiments is running at ${simulator.url}.\n\nFirst sync: everything.\n`,
    );
    const first = await syncOnce(context, config);
    now = AFTER_LAST_ROOM;
    say('\nA room opened in each experiment, and people took part. Second sync: only what is new.\n');
    const second = await syncOnce(context, config);
    context.stdout.write(
      context.json ? `${JSON.stringify({ path, first, second }, null, 2)}\n` : report(path, first, second),
    );
    return first.status === 'ok' && second.status === 'ok' ? EXIT.ok : EXIT.partial;
  } finally {
    await simulator.close();
  }
};

function syncOnce(context: CommandContext, config: Config): Promise<SyncResult> {
  const progress = showProgress(context.stdout, context.json ? 'silent' : 'auto');
  return withRuntime(config, silentLog, { onWait: progress.wait }, (runtime) =>
    runSync(
      tallied(
        {
          ...runtime,
          selection: {},
          full: false,
          acceptDeletes: false,
          signal: context.signal,
          onPage: progress.page,
          onStream: progress.stream,
        },
        progress.tally,
      ),
    ),
  ).finally(() => progress.stop());
}

function demoConfig(path: string, baseUrl: string, key: string): Config {
  const config = defaultConfig(DATA_TYPE_OPTIONS);
  return {
    ...config,
    api: { ...config.api, baseUrl, key, limits: { ...config.api.limits, reserve: 0 } },
    warehouse: { ...config.warehouse, path },
    options: { 'agent-decisions': { detail: true } },
  };
}

function report(path: string, first: SyncResult, second: SyncResult): string {
  const sum = (result: SyncResult, data: string, pick: 'inserted' | 'requests' | 'deleted') =>
    result.streams.filter((stream) => stream.data === data).reduce((total, stream) => total + stream[pick], 0);
  const rows = DATA_TYPES.map((data) => [
    data,
    first.streams.filter((stream) => stream.data === data).length,
    sum(first, data, 'inserted'),
    sum(first, data, 'requests'),
    sum(second, data, 'inserted'),
    sum(second, data, 'requests'),
  ]);
  const total = (column: number) => rows.reduce((all, row) => all + Number(row[column]), 0);
  const question = 'SELECT data, sum(rows) AS rows, min(complete) AS complete FROM _freshness GROUP BY data';
  return `
${table(['data type', 'streams', 'rows', 'requests', 'then new', 'requests'], [...rows, ['all', total(1), total(2), total(3), total(4), total(5)]])}

${count(total(2))} records in ${formatDuration(first.durationMs)}, then ${count(total(4))} new ones in ${formatDuration(second.durationMs)}.
The warehouse: ${path}

Query it (each line works as is):
  sqlite3  sqlite3 -readonly -box '${path}' "${question}"
  R        Rscript -e 'library(DBI); d <- dbConnect(RSQLite::SQLite(), "${path}", flags = RSQLite::SQLITE_RO); print(dbGetQuery(d, "${question}"))'
  Python   python3 -c 'import sqlite3; [print(*r) for r in sqlite3.connect("file:${path}?mode=ro", uri=True).execute("${question}")]'
  MATLAB   fetch(sqlite('${path}', 'readonly'), '${question}')
`;
}
