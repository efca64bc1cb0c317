import { count, counted } from '../shared/count.ts';
import type { Issue } from './issue.ts';
import { formatDuration, formatMinute } from '../shared/time.ts';
import type { StreamView } from './snapshot.ts';
import { isWell, type Judged, type Standing } from '../warehouse/standing.ts';

/** Standings that are not fine, most urgent first. */
const WORDS: readonly (readonly [Standing, string])[] = [
  ['failed', 'failed'],
  ['lost', 'no longer readable with this key'],
  ['gone', 'gone'],
  ['incomplete', 'incomplete'],
  ['unread', 'never read'],
  ['skipped', 'not readable with this key'],
];

/** The number of streams of each standing. */
export function countStandings(streams: readonly Judged[]): Partial<Record<Standing, number>> {
  return Object.fromEntries(
    [...Map.groupBy(streams, ({ standing }) => standing)].map(([at, { length }]) => [at, length]),
  );
}

/**
 * The first line: how many of the configured streams are complete, and the standings of the others.
 * @param isListWhole whether all experiments are known.
 * @param isHalted whether nothing new can be read.
 */
export function headOf(
  streams: readonly Judged[],
  { isListWhole, isHalted }: { readonly isListWhole: boolean; readonly isHalted: boolean },
): string {
  const configured = streams.filter(({ standing }) => standing !== 'unconfigured');
  if (configured.length === 0) return '✗ Not complete: no stream is known yet. Run `hsw sync now`.';
  const of = (standing: Standing) => configured.filter((stream) => stream.standing === standing).length;
  if (isWell(configured)) {
    const [complete, skipped] = [of('complete'), of('skipped')];
    if (!isListWhole)
      return `✗ Not complete: ${counted(complete, 'stream')} ${complete === 1 ? 'is' : 'are'} complete, but there may be other experiments.`;
    const others = skipped === 0 ? '' : ` The key may not read ${counted(skipped, 'other')}.`;
    const sign = skipped === 0 ? '✓ Complete' : '! Complete as far as the key may read';
    const all = complete === 1 ? 'the only stream' : `all ${counted(complete, 'stream')}`;
    return isHalted
      ? `✗ Nothing new can be read; ${all} ${complete === 1 ? 'was' : 'were'} complete before.${others}`
      : `${sign}: ${all}.${others}`;
  }
  const parts = WORDS.filter(([standing]) => of(standing) > 0).map(
    ([standing, words], i) =>
      `${count(of(standing))}${i === 0 ? ` of ${counted(configured.length, 'stream')}` : ''} ${words}`,
  );
  return `✗ Not complete: ${parts.join(', ')}.`;
}

/**
 * How that is known: which streams were compared with the API record by record, and which by their number only, since
 * when, and how new the newest row is.
 */
export function proofText(streams: readonly StreamView[], now: number): string {
  const ago = (ms: number) => `${formatDuration(Math.max(0, now - ms))} ago`;
  const read = streams.filter(({ dataAsOf }) => dataAsOf !== undefined);
  if (read.length === 0) return 'Nothing was read yet.';
  const compared = read.flatMap(({ verifiedAt }) => verifiedAt ?? []);
  const newest = Math.max(...read.map(({ watermark }) => watermark ?? -Infinity));
  const rest = compared.length === read.length ? '' : ', the others counted';
  const how =
    compared.length === 0
      ? 'No stream was compared record by record yet.'
      : `${count(compared.length)} of ${counted(read.length, 'stream')} compared record by record, ${ago(Math.min(...compared))} or later${rest}.`;
  return Number.isFinite(newest) ? `${how}\nNewest row: ${formatMinute(newest)}.` : how;
}

/** What an issue affects within its experiment: `Affected: chat; events, room r1; and 5 more.` */
export function affectedText({ scope: { streams = [], are } }: Pick<Issue, 'scope'>, most: number): string {
  if (streams.length === 0) return '';
  const more = streams.length - most;
  const names = streams.slice(0, most).map(({ name }) => name);
  return `${are === undefined ? 'Affected' : 'What changed'}: ${names.join('; ')}${more > 0 ? `; and ${count(more)} more` : ''}.`;
}

/** The headline, with the number of streams if there are several. */
export function titleOf({ subject, scope: { streams = [], are } }: Issue): string {
  return streams.length < 2 ? subject : `${subject} (${count(streams.length)} ${are ?? 'streams'})`;
}
