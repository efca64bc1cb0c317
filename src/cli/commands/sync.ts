import { InvalidArgumentError } from 'commander';
import type { BudgetOptions } from '../../budget/queue.ts';
import type { Notify } from '../../control/protocol.ts';
import { readsOf } from '../../config/reads.ts';
import type { Config } from '../../config/schema.ts';
import { fetchMedia, type MediaRound } from '../../media/round.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration, formatMinute } from '../../shared/time.ts';
import type { Reread } from '../../sync/reread.ts';
import { tallied } from '../../sync/tally.ts';
import { runSync, type SyncResult } from '../../sync/run.ts';
import { CLOSE_READERS, TOO_LARGE_BYTES, walBytes } from '../../warehouse/wal.ts';
import { runOrDelegate } from '../../control/run-or-delegate.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import { isJournal, openLog, readConfig, type Command, type Describe, type CommandContext } from '../context.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import { roundLine } from '../media-text.ts';
import { showProgress, type Progress } from '../sync-progress.ts';
import { readSelection, selectable, type SelectionFlags } from '../selection.ts';
import { withIds } from '../source.ts';
import { readTimeRange, type RangeFlags } from '../time-range.ts';
import { showPlan } from './plan.ts';

export interface SyncFlags extends SelectionFlags, RangeFlags {
  readonly acceptDeletes?: boolean;
  readonly acceptSchema?: boolean;
}

/** The files that a sync downloads at most, after all that is new: `hsw media` and the daemon download the rest. */
const MOST_MEDIA = 20;

export const describe: Describe = (program, run) => {
  selectable(
    program.argument('[when]', 'now', (value: string) => {
      if (value !== 'now') throw new InvalidArgumentError('Did you mean `sync now`?');
      return value;
    }),
  )
    .option('--full', 'read everything again and compare, instead of continuing where the last sync stopped')
    .option('--from <time>', 'read again what is dated from here on: a date or a time, UTC unless it names its zone')
    .option('--to <time>', 'read again what is dated before this; the time itself is not included')
    .option(
      '--dry-run',
      'show streams, expected requests and time under the limits; send no request. With --from or --to: read, show what would change, and write nothing',
    )
    .option('--accept-deletes', 'also delete rows that the delete guard would withhold')
    .option('--accept-schema', 'accept the new fields and types for which streams are stopped (schema: freeze)')
    .addHelpText(
      'after',
      `
Examples:
  hsw sync now
  hsw sync now --experiment exp_abc123 --data events --data ratings/continuous
  hsw sync now --full --json
  hsw sync now --from 2026-03-01 --to 2026-03-08
  hsw sync now --from 2026-03-01T09:30:00+01:00 --data events --dry-run

--from and --to read a range of time again: --to 2026-03-08 ends with the last record of 7 March. Data types that the API
does not filter by time are listed whole, and the last lines say which. A dry run of a range costs as many requests as
the range. Rows that are no longer in the API are marked, and deleted when a later reading misses them as well.`,
    )
    .action((_when: unknown, flags: SyncFlags) => run(sync, flags));
};

/** A daemon downloads the files of recordings by itself. */
type Synced = SyncResult & { readonly media?: MediaRound };

/** `hsw sync now`: one sync of everything that is configured, or of the selection, or a range of time again. */
const sync: Command<SyncFlags> = async (context, flags) => {
  const selected = readSelection(flags);
  const reread = readTimeRange(flags, Date.now());
  const config = readConfig(context, true);
  if (flags.dryRun === true && reread === undefined) return showPlan(context, config, selected, flags.full === true);
  const { log, progress, onWait, onPage } = reporting(context, config);
  try {
    const chosen = {
      full: flags.full === true,
      acceptDeletes: flags.acceptDeletes === true,
      acceptSchema: flags.acceptSchema === true,
      ...(reread === undefined ? {} : { reread }),
    };
    const { signal } = context;
    const onStream = (event: Parameters<Progress['stream']>[0]) => progress.stream(event);
    const result: Synced = await withIds(config, selected, (selection) => {
      const asked = { selection, ...chosen };
      const here = () =>
        withRuntime(config, log, { onWait }, async (runtime): Promise<Synced> => {
          const synced = await runSync(tallied({ ...runtime, ...asked, signal, onPage, onStream }, progress.tally));
          if (!config.media.recordings || reread !== undefined) return synced;
          return { ...synced, media: await fetchMedia({ ...runtime, signal, most: MOST_MEDIA }) };
        });
      const notify = shownBy({ ...progress, page: onPage });
      return runOrDelegate(here, { ask: 'sync', reads: readsOf(config), ...asked }, { config, notify, signal });
    });
    progress.stop();
    context.stdout.write(
      context.json
        ? `${JSON.stringify(result, null, 2)}\n`
        : summary(result, config.warehouse.path, reread) +
            (result.media === undefined ? '' : `  ${roundLine(result.media)}`),
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
    else if ('tally' in event) progress.tally(event.tally);
    else if ('page' in event) progress.page(event.stream, event.page);
    else if ('ended' in event) progress.stream({ stream: event.stream, result: event.ended });
    else progress.stream({ stream: event.stream });
  };
}

function summary(result: SyncResult, path: string, reread: Reread | undefined): string {
  const { streams, issues } = result;
  const notWell = streams.filter((stream) => stream.status !== 'ok');
  const lines = notWell.map(
    (stream) =>
      `  ${stream.status === 'skipped' ? '–' : '✗'} ${stream.data} of ${stream.experiment}${stream.room === undefined ? '' : `, room ${stream.room}`}: ${stream.error?.message ?? `may be incomplete: ${stream.reason ?? '`hsw status` says why'}`}`,
  );
  return [
    ...(reread === undefined ? [headline(result)] : rereadLines(result, reread)),
    ...issues.flatMap(({ message, hint }) => [`  ✗ ${message}`, `    ${hint}`]),
    ...[...new Set(lines)],
    `  ${path}`,
    '',
  ]
    .map(cleanLine)
    .join('\n');
}

function headline(result: SyncResult): string {
  const { streams, status } = result;
  const partly = streams.length === 0 ? '✗ Nothing was read' : '✗ Done, but not everything was read';
  const { inserted, updated, deleted } = sums(result);
  return `${status === 'ok' ? '✓ Up to date' : partly}: ${counted(streams.length, 'stream')}, ${counted(inserted, 'new row')}, ${count(updated)} changed, ${count(deleted)} deleted; ${spent(result)}.`;
}

/** What was read of a range, and what that changed or, in a dry run, would change. */
function rereadLines(result: SyncResult, { from, to, dryRun }: Reread): string[] {
  const { streams, status } = result;
  const { fetched, inserted, updated, deleted, marked } = sums(result);
  const range = [
    from === undefined ? 'from the beginning' : `from ${formatMinute(from)}`,
    to === undefined ? 'until now' : `to ${formatMinute(to)}, which is not included`,
  ].join(' ');
  const changes = dryRun
    ? `Nothing was written: ${counted(inserted, 'row')} would be new, ${count(updated)} changed; ${count(marked)} ${marked === 1 ? 'is' : 'are'} no longer in the API`
    : `${counted(inserted, 'new row')}, ${count(updated)} changed, ${count(deleted)} deleted, ${count(marked)} marked as missing`;
  const listed = [...new Set(streams.filter((stream) => stream.listed === true).map(({ data }) => data))];
  return [
    `${status === 'ok' ? '✓ Read again' : '✗ Read again, but not everything'}, ${range}: ${counted(streams.length, 'stream')}, ${counted(fetched, 'record')}.`,
    `  ${changes}; ${spent(result)}.`,
    ...(listed.length === 0 ? [] : [`  Listed whole, as the API does not filter them by time: ${listed.join(', ')}.`]),
  ];
}

function sums({ streams }: SyncResult) {
  const sum = (name: 'fetched' | 'inserted' | 'updated' | 'deleted' | 'marked') =>
    streams.reduce((total, stream) => total + stream[name], 0);
  return {
    fetched: sum('fetched'),
    inserted: sum('inserted'),
    updated: sum('updated'),
    deleted: sum('deleted'),
    marked: sum('marked'),
  };
}

function spent({ requests, durationMs }: SyncResult): string {
  return `${counted(requests, 'request')} in ${formatDuration(durationMs)}`;
}
