import { count, counted } from '../shared/count.ts';
import { isBlocking } from '../warehouse/doubts.ts';
import type { StoredPosition } from '../warehouse/positions.ts';
import { isWell, type Judged, type Standing } from '../warehouse/standing.ts';

/** A stream as it is told of on the command line. */
export type Told = StoredPosition & Judged;

/** What is not fine, with what is most urgent first. */
const WORDS: readonly (readonly [Standing, string])[] = [
  ['failed', 'failed'],
  ['lost', 'no longer readable with this key'],
  ['gone', 'gone'],
  ['incomplete', 'incomplete'],
  ['unread', 'never read'],
  ['skipped', 'not readable with this key'],
];

/** How many streams stand how. */
export function countStandings(streams: readonly Judged[]): Partial<Record<Standing, number>> {
  return Object.fromEntries(
    [...Map.groupBy(streams, ({ standing }) => standing)].map(([at, { length }]) => [at, length]),
  );
}

/** The first line: how many of the configured streams are complete, and what the others are. */
export function headOf(streams: readonly Judged[]): string {
  const configured = streams.filter(({ standing }) => standing !== 'unconfigured');
  if (configured.length === 0) return '✗ Not complete: no stream is known yet. Run `hsw sync now`.';
  const of = (standing: Standing) => configured.filter((stream) => stream.standing === standing).length;
  if (isWell(configured)) {
    const [complete, skipped] = [of('complete'), of('skipped')];
    const others = skipped === 0 ? '' : ` The key may not read ${counted(skipped, 'other')}.`;
    return `✓ Complete: ${complete === 1 ? 'the only stream' : `all ${counted(complete, 'stream')}`}.${others}`;
  }
  const parts = WORDS.filter(([standing]) => of(standing) > 0).map(
    ([standing, words], i) =>
      `${count(of(standing))}${i === 0 ? ` of ${counted(configured.length, 'stream')}` : ''} ${words}`,
  );
  return `✗ Not complete: ${parts.join(', ')}.`;
}

/** As many notes are shown; `--json` has them all. */
const MOST_NOTES = 10;

/** What readers should know of streams, complete or not. */
export function notesOf(streams: readonly StoredPosition[]): string[] {
  const notes = streams.flatMap((stream) =>
    stream.doubts.filter((doubt) => !isBlocking(doubt)).map(({ text }) => `· ${nameOf(stream)}: ${text}.`),
  );
  const more = notes.length - MOST_NOTES;
  return [...notes.slice(0, MOST_NOTES), ...(more > 0 ? [`· and ${counted(more, 'other note')}`] : [])];
}

/** What the configuration no longer asks for: one line for each experiment. */
export function unconfiguredOf(streams: readonly Told[]): string[] {
  const unconfigured = streams.filter(({ standing }) => standing === 'unconfigured');
  return [...Map.groupBy(unconfigured, ({ experimentId }) => experimentId)].map(([id, all]) => {
    const rows = all.reduce((sum, stream) => sum + stream.rows, 0);
    const types = [...new Set(all.map(({ data }) => data))].join(', ');
    return `· No longer configured, and not read any more: ${types} of ${id} (${counted(rows, 'row')} kept).`;
  });
}

/** `chat of exp_1`, `variables of exp_1 (room:r1)` */
export function nameOf({ experimentId, data, scope }: StoredPosition): string {
  return `${data} of ${experimentId}${scope === 'experiment' ? '' : ` (${scope})`}`;
}
