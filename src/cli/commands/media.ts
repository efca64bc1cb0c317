import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { PRIORITIES } from '../../budget/priorities.ts';
import { findDaemon } from '../../control/find-daemon.ts';
import { fetchMedia, wantedBy } from '../../media/round.ts';
import { withRuntime } from '../../runtime/runtime.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { countMedia } from '../../warehouse/media.ts';
import { openLog, readConfig, type Command, type Describe } from '../context.ts';
import { mediaLines, roundLine } from '../media-text.ts';

export const describe: Describe = (program, run) => {
  program
    .addHelpText(
      'after',
      `
Downloads every recording that is not held yet, within media.maxBytesPerHour. It needs \`media: { recordings: true }\` in
the configuration, and the recordings' records, which \`hsw sync now\` reads. The next run continues a download that was
interrupted. A running daemon downloads them by itself. \`hsw verify --media\` compares what is held.

Examples:
  hsw media
  hsw media --json`,
    )
    .action(() => run(media, {}));
};

/** `hsw media`: downloads all files that are missing. */
const media: Command<object> = async (context) => {
  const config = readConfig(context, true);
  const { json, signal, stdout } = context;
  if (!config.media.recordings)
    throw new WarehouseError('USAGE', 'The configuration does not ask for media. Nothing was downloaded.', {
      hint: 'Set media.recordings to true. Recordings show and name people: read docs/data-protection.md first.',
    });
  if ((await findDaemon(config.warehouse.path)).kind === 'running')
    throw new WarehouseError('WAREHOUSE_BUSY', 'A daemon is running, which downloads the media by itself.', {
      hint: '`hsw status` says how many it holds.',
    });
  const log = openLog(context, config, json ? config.log.level : 'silent');
  const onFile = ({ path, problem }: { path: string; problem?: string }) => {
    if (!json) stdout.write(`${cleanLine(`${problem === undefined ? '✓' : '✗'} ${path}`)}\n`);
  };
  const { round, counts } = await withRuntime(config, log, {}, async (runtime) => {
    const priority = PRIORITIES.user.rank;
    const done = await fetchMedia({ ...runtime, priority, signal, most: Number.MAX_SAFE_INTEGER, onFile });
    return { round: done, counts: countMedia(runtime.warehouse.db, wantedBy(config)) };
  });
  const { stopped } = round;
  if (stopped !== undefined) throw stopped;
  stdout.write(
    json ? `${JSON.stringify({ ...round, ...counts }, null, 2)}\n` : `${roundLine(round)}${mediaLines(counts)}`,
  );
  return counts.held === counts.wanted ? EXIT.ok : EXIT.partial;
};
