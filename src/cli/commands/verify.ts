import { streamText, type Stream } from '../../datasets/stream.ts';
import type { Notify } from '../../control/protocol.ts';
import { readsOf } from '../../config/reads.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { isProven, runVerify, type Verdict, type VerifyResult } from '../../sync/verify.ts';
import { runOrDelegate } from '../../control/run-or-delegate.ts';
import { openReader } from '../../runtime/reader.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import { openLog, readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import { verifyMedia } from '../media-text.ts';
import { tellWaits } from '../sync-progress.ts';
import { readSelection, selectable, type SelectionFlags } from '../selection.ts';
import { withIds } from '../source.ts';

interface VerifyFlags extends SelectionFlags {
  readonly repair?: boolean;
  readonly deep?: boolean;
  readonly media?: boolean;
  readonly acceptDeletes?: boolean;
}

/** How many keys of a difference a line shows; `--json` has them all. */
const KEYS_SHOWN = 5;

export const describe: Describe = (program, run) => {
  selectable(
    program.option('--repair', 'repair the rows that differ').option('--deep', 'compare every record, not just counts'),
  )
    .option('--media', 'compare the files of recordings on this disk instead, by size and SHA-256; no request is sent')
    .option('--accept-deletes', 'also delete rows that the delete guard would withhold')
    .addHelpText(
      'after',
      `
Examples:
  hsw verify
  hsw verify --deep --experiment exp_abc123
  hsw verify --media
  hsw verify --repair --json`,
    )
    .action((flags: VerifyFlags) => run(verify, flags));
};

/** `hsw verify`: proves that the tables equal the API, or reports what differs. */
const verify: Command<VerifyFlags> = async (context, flags) => {
  if (flags.media === true) return ofMedia(context, flags);
  const selected = readSelection(flags);
  const config = readConfig(context, true);
  const log = openLog(context, config, context.json ? config.log.level : 'silent');
  const onWait = context.json ? () => undefined : tellWaits(context.stderr);
  const onVerdict = (stream: Stream, verdict: Verdict) => {
    if (!context.json) context.stdout.write(`${cleanLine(line(stream, verdict, flags.repair === true))}\n`);
  };
  const { signal } = context;
  const chosen = {
    deep: flags.deep === true,
    repair: flags.repair === true,
    acceptDeletes: flags.acceptDeletes === true,
  };
  const notify: Notify = (event) => {
    if ('wait' in event) onWait(event.wait);
    else if ('verdict' in event) onVerdict(event.stream, event.verdict);
  };
  const result = await withIds(config, selected, (selection) => {
    const asked = { selection, ...chosen };
    const here = () =>
      withRuntime(config, log, { onWait }, (runtime) =>
        runVerify({ ...runtime, ...asked, signal, full: true, onVerdict }),
      );
    const request = { ask: 'verify', reads: readsOf(config), ...asked } as const;
    return runOrDelegate(here, request, { config, notify, signal });
  });
  context.stdout.write(context.json ? `${JSON.stringify(result, null, 2)}\n` : closing(result, chosen.repair));
  return isProven(result, chosen.repair) ? EXIT.ok : EXIT.partial;
};

function ofMedia(context: CommandContext, { repair, deep, acceptDeletes, experiment, data }: VerifyFlags) {
  if ([repair, deep, acceptDeletes, experiment, data].some((flag) => flag !== undefined))
    throw new WarehouseError('USAGE', '--media compares files on this disk, and goes with no other flag.', {
      hint: 'Run `hsw verify --media` by itself.',
    });
  const db = openReader(readConfig(context, false));
  return verifyMedia(context, db).finally(() => db.close());
}

function line(stream: Stream, verdict: Verdict, isRepair: boolean): string {
  const { status, reason } = verdict;
  const name = streamText(stream);
  if (status === 'unknown') return `✗ ${name}: ${reason ?? 'unknown'}`;
  if (status === 'equal') return `✓ ${name}: ${equality(verdict, isRepair)}`;
  const isRepaired = status === 'repaired';
  return `${isRepaired ? '✓' : '✗'} ${name}: ${differences(verdict)}${isRepaired ? '; repaired' : ''}`;
}

/** What is held, and with what came since the last sync equals what the API has. */
function equality({ proof, rows, quarantined, newer }: Verdict, isRepair: boolean): string {
  const since = `${counted(newer.length, 'record')} newer than the last sync`;
  const parts = [
    counted(rows ?? 0, 'row'),
    ...(quarantined === 0 ? [] : [`${counted(quarantined, 'record')} in quarantine`]),
    ...(newer.length === 0 || isRepair ? [] : [since]),
  ];
  const stored = newer.length === 0 || !isRepair ? '' : `; ${since} stored now`;
  return `${parts.join(' and ')}, ${proof === 'content' ? 'every record compared' : 'as many as the API counts'}${stored}`;
}

function differences({ missing, changed, extra, newer }: Verdict): string {
  return Object.entries({ missing, changed, extra, 'newer than the last sync': newer })
    .filter(([, keys]) => keys.length > 0)
    .map(
      ([what, keys]) =>
        `${count(keys.length)} ${what} (${keys.slice(0, KEYS_SHOWN).join(', ')}${keys.length > KEYS_SHOWN ? ', …' : ''})`,
    )
    .join(', ');
}

function closing({ at, requests, durationMs, streams, issues, derived }: VerifyResult, isRepair: boolean): string {
  const of = (status: Verdict['status']) => streams.filter((verdict) => verdict.status === status).length;
  const repair = isRepair
    ? 'Rows that were not repaired are withheld from deletion; to delete them, run: hsw sync now --accept-deletes'
    : 'Repair with: hsw verify --repair';
  const hint = of('different') > 0 ? ` ${repair}` : '';
  const others = streams.length === 0 ? ['✗ Nothing was verified: no stream is known.'] : [];
  const stale = derived.map(
    ({ table, rows }) =>
      `✗ ${table}: ${counted(rows, 'row')} did not follow from the other tables${isRepair ? '; computed again' : '. Compute them again with: hsw verify --repair'}`,
  );
  const problems = [...others, ...stale, ...issues.flatMap(({ message, hint: what }) => [`✗ ${message}`, `  ${what}`])];
  return `${problems.map((text) => `${cleanLine(text)}\n`).join('')}\nAs of ${at}: ${counted(of('equal'), 'stream')} equal, ${count(of('different'))} different, ${count(of('repaired'))} repaired, ${count(of('unknown'))} not proven; ${counted(requests, 'request')} in ${formatDuration(durationMs)}.${hint}\n`;
}
