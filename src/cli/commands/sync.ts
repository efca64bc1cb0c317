import type { BudgetOptions } from '../../budget/queue.ts';
import type { Config } from '../../config/schema.ts';
import type { Asked } from '../../daemon/engine.ts';
import { handOver, socketPath } from '../../daemon/handover.ts';
import type { Event } from '../../daemon/messages.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { runSync, type SyncResult } from '../../sync/run.ts';
import { isJournal, openLog, readConfig, type Command, withConnection } from '../context.ts';
import { count, showProgress, type Progress } from '../output.ts';
import { readSelection, type SelectionFlags } from '../selection.ts';
import { showPlan } from './plan.ts';

export interface SyncFlags extends SelectionFlags {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly acceptDeletes?: boolean;
}

/** `hsw sync now`: one sync of everything configured or named. */
export const sync: Command<SyncFlags> = async (context, flags) => {
  const selection = readSelection(flags);
  const config = readConfig(context, true);
  if (flags.dryRun === true) return showPlan(context, config, selection, flags.full === true);
  // People read the progress; systemd's journal, and whoever asked for JSON or for more than the usual, get the log.
  const isLogged =
    context.json || isJournal(context.env) || config.log.level === 'debug' || config.log.level === 'trace';
  const log = openLog(context, config, isLogged ? config.log.level : 'silent');
  const progress = showProgress(context.stderr, isLogged ? 'silent' : 'auto');
  const onWait: BudgetOptions['onWait'] = (wait) => {
    progress.wait(wait);
    log.info(wait, 'waiting for a limit');
  };
  try {
    const asked = { selection, full: flags.full === true, acceptDeletes: flags.acceptDeletes === true };
    const result = await withConnection(config, log, onWait, (connection) =>
      runSync({
        ...connection,
        ...asked,
        config,
        log,
        signal: context.signal,
        onPage: (stream, at) => progress.page(stream, at),
        onStream: (event) => progress.stream(event),
      }),
    ).catch(async (error: unknown) => {
      const done = isBusy(error) ? await byDaemon(config, asked, progress, context.signal) : undefined;
      if (done === undefined) throw error;
      return done;
    });
    progress.stop();
    context.stdout.write(
      context.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result, config.warehouse.path),
    );
    return result.status === 'ok' ? EXIT.ok : EXIT.partial;
  } finally {
    progress.stop();
  }
};

function isBusy(error: unknown): boolean {
  return error instanceof WarehouseError && error.code === 'WAREHOUSE_BUSY';
}

/** Has the daemon that holds the warehouse do it; undefined when what holds it is no daemon. */
function byDaemon(config: Config, asked: Asked, progress: Progress, signal: AbortSignal) {
  const tell = (event: Event) => {
    const { stream } = event;
    if ('page' in event) progress.page(stream, event.page);
    else progress.stream({ stream, ...(event.ended === undefined ? {} : { result: event.ended }) });
  };
  return handOver(socketPath(config.warehouse.path), asked, tell, signal);
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
