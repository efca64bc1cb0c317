import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import { cleanLine } from '../shared/clean-text.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { queryValues } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { z } from 'zod';
import type { Notices } from './notices.ts';

/** Publishes what changed, as the configuration says. */
export interface Publishing {
  /** Begins if it is due; returns at once. */
  look(): void;
  /** Resolves when nothing runs any more. */
  settled(): Promise<void>;
}

/** Runs this program with other arguments; gives its exit status and what it says of an error. */
export type RunSelf = (args: readonly string[], signal: AbortSignal) => Promise<{ status: number; said: string }>;

export interface PublishingParts {
  readonly db: Db;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly notices: Notices;
  readonly signal: AbortSignal;
  readonly run?: RunSelf;
}

/**
 * Another process publishes, as Parquet takes the processor for seconds and the daemon has to stay responsive. It reads
 * beside the daemon; a kill of either leaves what was published before, or all of the new.
 */
export function createPublishing({
  db,
  config,
  clock,
  log,
  notices,
  signal,
  run = runSelf,
}: PublishingParts): Publishing {
  let published: string | undefined;
  let startedUp = -Infinity;
  let running: Promise<void> | undefined;
  const start = async (publish: NonNullable<Config['publish']>, state: string) => {
    const { status, said } = await run(argumentsOf(publish, config().path), signal);
    if (signal.aborted) return;
    if (status === 0) {
      published = state;
      log.info({ to: publish.to }, 'published what changed');
      return;
    }
    const text = `Publishing to ${publish.to} failed: ${said}`;
    log.warn({ to: publish.to, status }, text);
    notices.note({
      at: clock.now(),
      code: 'PUBLISH_FAILED',
      text,
      hint: 'It will be tried again. To see the error at once, run `hsw publish`.',
    });
  };
  return {
    look() {
      const { publish } = config();
      if (publish === undefined || publish.after === 'never' || running !== undefined || signal.aborted) return;
      if (clock.uptime() - startedUp < publish.everyMs) return;
      const state = stateOf(db);
      if (state === published || state === NOTHING) return;
      startedUp = clock.uptime();
      running = start(publish, state)
        .catch((error: unknown) => log.error({ err: error }, 'the process that publishes could not be run'))
        .finally(() => {
          running = undefined;
        });
    },
    settled: () => running ?? Promise.resolve(),
  };
}

/** Nothing was ever read. */
const NOTHING = '[0.0,0,0]';

/** Another one whenever rows changed: by a run, an erasure, or tables that are computed later. */
function stateOf(db: Db): string {
  const sql = `SELECT json_array((SELECT total(inserted + updated + deleted) FROM _runs), (SELECT count(*) FROM _erasures),
    (SELECT count(*) FROM _derive_pending))`;
  return queryValues(db, sql, z.string()).get() ?? '';
}

function argumentsOf({ to, format }: NonNullable<Config['publish']>, path: string): string[] {
  const config = ['--config', path, '--json'];
  if (format === 'lake') return ['publish', ...config];
  return ['snapshot', basename(to), '--out', dirname(to), '--format', format, '--allow-incomplete', ...config];
}

const Failed = z.object({ error: z.object({ message: z.string() }) });

function runSelf(args: readonly string[], signal: AbortSignal): Promise<{ status: number; said: string }> {
  const [, program = ''] = process.argv;
  return new Promise((settle) => {
    execFile(
      process.execPath,
      [...process.execArgv, program, ...args],
      { signal, killSignal: 'SIGTERM' },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        settle({ status, said: saidIn(stdout) ?? cleanLine(stderr.trim().split('\n')[0] ?? '') });
      },
    );
  });
}

/** The message of an error that a command with `--json` prints. */
function saidIn(stdout: string): string | undefined {
  try {
    return Failed.safeParse(JSON.parse(stdout)).data?.error.message;
  } catch {
    return undefined;
  }
}
