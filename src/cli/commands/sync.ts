import type { BudgetOptions } from '../../budget/queue.ts';
import type { Notify } from '../../control/protocol.ts';
import { readsOf } from '../../config/reads.ts';
import type { Config } from '../../config/schema.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { runSync, type SyncResult } from '../../sync/run.ts';
import { CLOSE_READERS, TOO_LARGE_BYTES, walBytes } from '../../warehouse/wal.ts';
import { runOrDelegate } from '../../control/run-or-delegate.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import { isJournal, openLog, readConfig, type Command, type CommandContext } from '../context.ts';
import { count, counted } from '../../shared/count.ts';
import { showProgress, type Progress } from '../output.ts';
import { readSelection, type SelectionFlags } from '../selection.ts';
import { showPlan } from './plan.ts';

export interface SyncFlags extends SelectionFlags {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly acceptDeletes?: boolean;
  readonly acceptSchema?: boolean;
}

/** `hsw sync now`: one sync of everything that is configured, or of the selection. */
export const sync: Command<SyncFlags> = async (context, flags) => {
  const selection = readSelection(flags);
  const config = readConfig(context, true);
  if (flags.dryRun === true) return showPlan(context, config, selection, flags.full === true);
  const { log, progress, onWait, onPage } = reporting(context, config);
  try {
    const asked = {
      selection,
      full: flags.full === true,
      acceptDeletes: flags.acceptDeletes === true,
      acceptSchema: flags.acceptSchema === true,
    };
    const here = () =>
      withRuntime(config, log, { onWait }, (runtime) =>
        runSync({
          ...runtime,
          ...asked,
          signal: context.signal,
          onPage,
          onStream: (event) => progress.stream(event),
        }),
      );
    const { signal } = context;
    const result = await runOrDelegate(
      here,
      { ask: 'sync', reads: readsOf(config), ...asked },
      { config, notify: shownBy({ ...progress, page: onPage }), signal },
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

/**
 * Where the sync is reported: progress for people; the log for systemd's journal, for JSON and at a verbose log level.
 */
function reporting(context: CommandContext, config: Config) {
  const isLogged =
    context.json || isJournal(context.env) || config.log.level === 'debug' || config.log.level === 'trace';
  const log = openLog(context, config, isLogged ? config.log.level : 'silent');
  const progress = showProgress(context.stderr, isLogged ? 'silent' : 'auto');
  const onWait: BudgetOptions['onWait'] = (wait) => {
    progress.wait(wait);
    log.info(wait, 'waiting for a limit');
  };
  const checkWal = warnOfReader(config.warehouse.path, (text) => {
    progress.warn(text);
    log.warn(text);
  });
  const onPage: Progress['page'] = (stream, at) => {
    progress.page(stream, at);
    checkWal();
  };
  return { log, progress, onWait, onPage };
}

/**
 * Returns a check of the write-ahead log, which warns once when a reader keeps it from being emptied. The sync
 * continues, as a person is waiting for it; only the disk fills up.
 */
function warnOfReader(path: string, warn: (text: string) => void): () => void {
  let isSaid = false;
  return () => {
    const bytes = walBytes(path);
    if (isSaid || bytes <= TOO_LARGE_BYTES) return;
    isSaid = true;
    warn(
      `A program keeps reading ${path}: its write-ahead log has grown to ${Math.round(bytes / 1024 ** 2)} MB and keeps growing until that program closes the file. ${CLOSE_READERS}`,
    );
  };
}

/** Shows what a daemon reports about a sync. */
function shownBy(progress: Progress): Notify {
  return (event) => {
    if ('wait' in event) progress.wait(event.wait);
    else if ('page' in event) progress.page(event.stream, event.page);
    else if ('ended' in event) progress.stream({ stream: event.stream, result: event.ended });
    else progress.stream({ stream: event.stream });
  };
}

function summary({ streams, issues, requests, durationMs, status }: SyncResult, path: string): string {
  const sum = (pick: (stream: SyncResult['streams'][number]) => number) =>
    streams.reduce((total, stream) => total + pick(stream), 0);
  const notWell = streams.filter((stream) => stream.status !== 'ok');
  const lines = notWell.map(
    (stream) =>
      `  ${stream.status === 'skipped' ? '–' : '✗'} ${stream.data} of ${stream.experiment}${stream.room === undefined ? '' : `, room ${stream.room}`}: ${stream.error?.message ?? `may be incomplete: ${stream.reason ?? '`hsw status` says why'}`}`,
  );
  const partly = streams.length === 0 ? '✗ Nothing was read' : '✗ Done, but not everything was read';
  const head = status === 'ok' ? '✓ Up to date' : partly;
  return [
    `${head}: ${counted(streams.length, 'stream')}, ${count(sum(({ inserted }) => inserted))} new rows, ${count(sum(({ updated }) => updated))} changed, ${count(sum(({ deleted }) => deleted))} deleted; ${counted(requests, 'request')} in ${formatDuration(durationMs)}.`,
    ...issues.map(({ message, hint }) => `  ✗ ${message}\n    ${hint}`),
    ...[...new Set(lines)],
    `  ${path}`,
    '',
  ].join('\n');
}
