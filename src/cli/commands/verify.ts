import type { Stream } from '../../datasets/stream.ts';
import type { Notify } from '../../control/protocol.ts';
import { readsOf } from '../../config/reads.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { isProven, runVerify, type Verdict } from '../../sync/verify.ts';
import { runOrDelegate } from '../../control/run-or-delegate.ts';
import { openReader } from '../../runtime/reader.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import { openLog, readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { verifyMedia } from '../media-text.ts';
import { tellWaits } from '../sync-progress.ts';
import { readSelection, selectable, type SelectionFlags } from '../selection.ts';
import { withIds } from '../source.ts';
import { closing, verdictLine } from '../verify-words.ts';

interface VerifyFlags extends SelectionFlags {
  readonly repair?: boolean;
  readonly deep?: boolean;
  readonly media?: boolean;
  readonly acceptDeletes?: boolean;
}

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
    if (!context.json) context.stdout.write(`${cleanLine(verdictLine(stream, verdict, flags.repair === true))}\n`);
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
