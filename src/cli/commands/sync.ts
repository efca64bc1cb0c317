import { existsSync } from 'node:fs';
import type { BudgetOptions } from '../../budget/queue.ts';
import type { Config } from '../../config/schema.ts';
import { streamText } from '../../datasets/stream.ts';
import { estimate, type Cost } from '../../plan/cost.ts';
import type { PlannedExperiment, Selection } from '../../plan/streams.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { knownStreams, runSync, type SyncResult } from '../../sync/run.ts';
import { openEmpty } from '../../warehouse/migrate.ts';
import type { Db } from '../../warehouse/open.ts';
import { readPosition } from '../../warehouse/positions.ts';
import {
  openBudget,
  openLog,
  openReader,
  readConfig,
  type Command,
  type CommandContext,
  withConnection,
} from '../context.ts';
import { count, showProgress, table } from '../output.ts';
import { readSelection, type SelectionFlags } from '../selection.ts';

export interface SyncFlags extends SelectionFlags {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly acceptDeletes?: boolean;
}

/** `hsw sync now`: one sync of everything configured or named. */
export const sync: Command<SyncFlags> = async (context, flags) => {
  const selection = readSelection(flags);
  const config = readConfig(context, true);
  if (flags.dryRun === true) return dryRun(context, config, selection, flags.full === true);
  // People read the progress; whoever asked for JSON, or for more than the usual, reads the log.
  const isLogged = context.json || config.log.level === 'debug' || config.log.level === 'trace';
  const log = openLog(context, config, isLogged ? config.log.level : 'silent');
  const progress = showProgress(context.stderr, isLogged ? 'silent' : 'auto');
  const onWait: BudgetOptions['onWait'] = (wait) => {
    progress.wait(wait);
    log.info(wait, 'waiting for a limit');
  };
  try {
    const result = await withConnection(config, log, onWait, (connection) =>
      runSync({
        ...connection,
        config,
        log,
        selection,
        full: flags.full === true,
        acceptDeletes: flags.acceptDeletes === true,
        signal: context.signal,
        onPage: (stream, at) => progress.page(stream, at),
        onStream: (event) => progress.stream(event),
      }),
    );
    progress.stop();
    context.stdout.write(
      context.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result, config.warehouse.path),
    );
    return result.status === 'ok' ? EXIT.ok : EXIT.partial;
  } finally {
    progress.stop();
  }
};

/** Tells what a sync would cost, from the warehouse as it is; an absent one counts as empty and stays absent. */
function dryRun(context: CommandContext, config: Config, selection: Selection, full: boolean): number {
  const db = existsSync(config.warehouse.path) ? openReader(config) : openEmpty();
  try {
    const experiments = knownExperiments(db, config).filter(({ id }) => selection.experiments?.includes(id) ?? true);
    const streams = knownStreams({ config, warehouse: { db }, selection, full }, experiments);
    const costs = streams.map((stream) => ({ stream, position: readPosition(db, stream), full }));
    const cost = estimate(costs, config, openBudget(config, db, systemClock).usage().hour);
    const isOpen = config.experiments.some((experiment) => 'all' in experiment);
    context.stdout.write(context.json ? `${JSON.stringify(inJson(cost), null, 2)}\n` : dryRunText(cost, isOpen));
    return EXIT.ok;
  } finally {
    db.close();
  }
}

/** The experiments that the configuration names and, where it says `all`, those already in the warehouse. */
function knownExperiments(db: Db, { experiments }: Config): PlannedExperiment[] {
  const named = experiments.filter((experiment) => 'id' in experiment);
  const all = experiments.find((experiment) => 'all' in experiment);
  const met = db.prepare<[], string>('SELECT DISTINCT experiment_id FROM _streams ORDER BY 1').pluck().all();
  const others = all === undefined ? [] : met.filter((id) => !named.some((experiment) => experiment.id === id));
  return [...named, ...others.map((id) => ({ id, data: all?.data }))];
}

function inJson({ streams, ...cost }: Cost) {
  return {
    ...cost,
    streams: streams.map(({ stream, requests, why }) => ({ stream: streamText(stream), requests, why })),
  };
}

function dryRunText({ streams, requests, waitMs, firstReads }: Cost, isOpen: boolean): string {
  const rows = streams.map(({ stream, requests: expected, why }) => [streamText(stream), why, expected]);
  const pace = waitMs === 0 ? 'start at once' : `be done in about ${formatDuration(waitMs)}`;
  const notes = [
    `At least ${count(requests)} requests; under the limits they can ${pace}.`,
    ...(firstReads > 0
      ? [
          `${count(firstReads)} streams are read for the first time and take a request for every page; rooms and deployments that turn up add streams of their own.`,
        ]
      : []),
    ...(isOpen
      ? ['The configuration says all experiments: those that are new to the warehouse are not in this list.']
      : []),
    'Nothing was asked of the API and nothing was written.',
  ];
  return `${streams.length === 0 ? '' : `${table(['stream', 'read', 'requests'], rows)}\n\n`}${notes.join('\n')}\n`;
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
