import { DATA_TYPES } from '../../datasets/registry.ts';
import { streamText } from '../../datasets/stream.ts';
import type { Selection } from '../../plan/streams.ts';
import { estimate } from '../../plan/cost.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { findExperiments, knownStreams, runSync, type SyncResult } from '../../sync/run.ts';
import { readPosition } from '../../warehouse/positions.ts';
import { connect, openLog, readConfig, type Command } from '../context.ts';
import { count, showProgress, table } from '../output.ts';

export interface SyncFlags {
  readonly experiment?: readonly string[];
  readonly data?: readonly string[];
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly acceptDeletes?: boolean;
}

/** `hsw sync now`: one sync of everything configured or named. */
export const sync: Command<SyncFlags> = async (context, flags) => {
  const selection = readSelection(flags);
  const config = readConfig(context, true);
  const log = openLog(context, config, context.json || !context.stderr.isTTY ? config.log.level : 'silent');
  const progress = showProgress(context.stderr, context.json || log.level !== 'silent' ? 'silent' : 'auto');
  const connection = connect(config, log, (wait) => {
    progress.wait(wait);
    log.info(wait, 'waiting for a limit');
  });
  const { warehouse, client, clock, budget } = connection;
  const full = flags.full === true;
  try {
    if (flags.dryRun === true) {
      const named = config.experiments.every((experiment) => 'id' in experiment);
      const experiments = named
        ? await findExperiments(client, config, selection, context.signal)
        : knownExperiments(warehouse.db);
      const streams = knownStreams({ config, warehouse, selection, full }, experiments);
      const cost = estimate(
        streams.map((stream) => ({ stream, position: readPosition(warehouse.db, stream), full })),
        config,
        budget.usage().hour,
      );
      context.stdout.write(context.json ? `${JSON.stringify(cost, null, 2)}\n` : dryRunText(cost));
      return EXIT.ok;
    }
    const result = await runSync({
      client,
      warehouse,
      config,
      clock,
      log,
      selection,
      full,
      acceptDeletes: flags.acceptDeletes === true,
      signal: context.signal,
      onPage: (stream, at) => progress.page(stream, at),
      onStream: (event) => progress.stream(event),
    });
    progress.stop();
    context.stdout.write(
      context.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result, config.warehouse.path),
    );
    return result.status === 'ok' ? EXIT.ok : EXIT.partial;
  } finally {
    progress.stop();
    await connection.close();
  }
};

function readSelection({ experiment, data }: SyncFlags): Selection {
  const unknown = data?.filter((name) => !DATA_TYPES.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `There is no data type ${unknown.join(', ')}.`, {
      hint: `The data types are: ${DATA_TYPES.join(', ')}.`,
    });
  }
  return { ...(experiment === undefined ? {} : { experiments: experiment }), ...(data === undefined ? {} : { data }) };
}

/** Without asking the API, `all: true` means the experiments already in the warehouse. */
function knownExperiments(db: Parameters<typeof readPosition>[0]) {
  const ids = db
    .prepare<[], string>('SELECT DISTINCT experiment_id FROM _streams ORDER BY experiment_id')
    .pluck()
    .all();
  return ids.map((id) => ({ id }));
}

function dryRunText({ streams, requests, waitMs, firstReads }: ReturnType<typeof estimate>): string {
  const rows = streams.map(({ stream, requests: expected, why }) => [streamText(stream), why, expected]);
  const notes =
    firstReads > 0
      ? `\n${firstReads} streams are read for the first time and take a request for every page; how many pages is known only then.`
      : '';
  return `${table(['stream', 'read', 'requests'], rows)}\n\nAt least ${count(requests)} requests; under the limits they can ${waitMs === 0 ? 'start at once' : `be done in about ${formatDuration(waitMs)}`}.${notes}\nNothing was asked of the API and nothing was written.\n`;
}

export function summary({ streams, requests, durationMs, status }: SyncResult, path: string): string {
  const sum = (pick: (stream: SyncResult['streams'][number]) => number) =>
    streams.reduce((total, stream) => total + pick(stream), 0);
  const troubled = streams.filter((stream) => stream.status !== 'ok');
  const lines = troubled.map(
    (stream) =>
      `  ${stream.status === 'skipped' ? '–' : '✗'} ${stream.data} of ${stream.experiment}${stream.room === undefined ? '' : `, room ${stream.room}`}: ${stream.error?.message ?? 'may be incomplete; `hsw status` says why'}`,
  );
  const head = status === 'ok' ? '✓ Up to date' : '✗ Done, but not everything could be read';
  return [
    `${head}: ${count(streams.length)} streams, ${count(sum(({ inserted }) => inserted))} new rows, ${count(sum(({ updated }) => updated))} changed, ${count(sum(({ deleted }) => deleted))} vanished; ${count(requests)} requests in ${formatDuration(durationMs)}.`,
    ...[...new Set(lines)],
    `  ${path}`,
    '',
  ].join('\n');
}
