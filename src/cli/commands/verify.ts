import { streamText, type Stream } from '../../datasets/stream.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration, formatTime } from '../../shared/time.ts';
import { findExperiments } from '../../sync/experiments.ts';
import { knownStreams } from '../../sync/run.ts';
import { verifyStream, type Verdict } from '../../sync/verify.ts';
import { openLog, readConfig, withConnection, type Command } from '../context.ts';
import { count } from '../output.ts';
import { readSelection, type SelectionFlags } from '../selection.ts';

interface VerifyFlags extends SelectionFlags {
  readonly repair?: boolean;
  readonly deep?: boolean;
  readonly acceptDeletes?: boolean;
}

/** How many keys of a difference a line names; `--json` has them all. */
const KEYS_SHOWN = 5;

/** `hsw verify`: proves that the tables equal the API, or names what differs. */
export const verify: Command<VerifyFlags> = async (context, flags) => {
  const selection = readSelection(flags);
  const config = readConfig(context, true);
  const log = openLog(context, config, context.json ? config.log.level : 'silent');
  const onWait = (wait: { endpoint: string; waitMs: number }) => {
    if (!context.json) context.stderr.write(`… waiting ${Math.ceil(wait.waitMs / 1000)} s for a limit of the API\n`);
  };
  const [repair, deep] = [flags.repair === true, flags.deep === true];
  const verdicts: Verdict[] = [];
  return withConnection(config, log, onWait, async (connection) => {
    const { client, warehouse, clock } = connection;
    const startedAt = clock.now();
    const experiments = await findExperiments({ ...connection, config, selection, signal: context.signal });
    const streams = knownStreams({ config, warehouse, selection, full: true }, experiments);
    const common = {
      ...connection,
      config,
      log,
      signal: context.signal,
      full: true,
      acceptDeletes: flags.acceptDeletes === true,
    };
    for (const stream of streams) {
      const verdict = await verifyStream(common, stream, { repair, deep });
      verdicts.push(verdict);
      if (!context.json) context.stdout.write(`${line(stream, verdict)}\n`);
    }
    const requests = client.tries;
    const proven = { at: formatTime(startedAt), requests, durationMs: clock.now() - startedAt };
    if (context.json) context.stdout.write(`${JSON.stringify({ ...proven, streams: verdicts }, null, 2)}\n`);
    else context.stdout.write(closing(verdicts, proven));
    return verdicts.every(({ status }) => status === 'equal' || status === 'repaired') ? EXIT.ok : EXIT.partial;
  });
};

function line(stream: Stream, { status, proof, rows, missing, changed, extra, reason }: Verdict): string {
  const name = streamText(stream);
  if (status === 'unknown') return `✗ ${name}: cannot be proven: ${reason ?? 'no answer'}`;
  if (status === 'equal')
    return `✓ ${name}: ${count(rows ?? 0)} rows, ${proof === 'content' ? 'every record compared' : 'as many as the API counts'}`;
  const parts = Object.entries({ missing, changed, extra }).filter(([, keys]) => keys.length > 0);
  const told = parts.map(
    ([what, keys]) =>
      `${count(keys.length)} ${what} (${keys.slice(0, KEYS_SHOWN).join(', ')}${keys.length > KEYS_SHOWN ? ', …' : ''})`,
  );
  return `${status === 'repaired' ? '✓' : '✗'} ${name}: ${told.join(', ')}${status === 'repaired' ? '; repaired' : ''}`;
}

function closing(
  verdicts: readonly Verdict[],
  { at, requests, durationMs }: { at: string; requests: number; durationMs: number },
): string {
  const of = (status: Verdict['status']) => verdicts.filter((verdict) => verdict.status === status).length;
  const hint = of('different') > 0 ? ' Repair with: hsw verify --repair' : '';
  return `\nAs of ${at}: ${count(of('equal'))} streams equal, ${count(of('different'))} different, ${count(of('repaired'))} repaired, ${count(of('unknown'))} not proven; ${count(requests)} requests in ${formatDuration(durationMs)}.${hint}\n`;
}
