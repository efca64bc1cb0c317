import { formatDuration } from '../shared/time.ts';
import { count } from '../shared/count.ts';
import type { StreamView } from '../status/snapshot.ts';
import { isFine } from '../warehouse/standing.ts';
import { table } from './output.ts';

/** So that a table of experiments fits 60 columns. */
const MOST_NAME = 24;

/** One line for each experiment, with what the first line of the status says of all. */
export function experimentTable(
  streams: readonly StreamView[],
  { now, names }: { readonly now: number; readonly names: ReadonlyMap<string, string> },
): string {
  const rows = [...Map.groupBy(streams, ({ experimentId }) => experimentId)].map(([id, all]) => [
    shortened(nameOf(id, names)),
    all.reduce((sum, { rows: held }) => sum + held, 0),
    standingText(all),
    ageOf(all, now),
  ]);
  return table(['experiment', 'rows', 'complete', 'read'], rows);
}

/** One line for each stream. */
export function streamTable(streams: readonly StreamView[], now: number): string {
  const rows = streams.map((stream) => [
    stream.experimentId,
    stream.data,
    stream.scope,
    stream.rows,
    age(stream.dataAsOf, now),
    stream.lateRows === 0 ? '' : `${count(stream.lateRows)}, up to ${formatDuration(stream.latestMs)}`,
    completeness(stream),
  ]);
  return table(['experiment', 'data', 'scope', 'rows', 'data as of', 'late rows', 'complete'], rows);
}

/** The name; with the id if another experiment has the same. */
function nameOf(id: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(id);
  if (name === undefined) return id;
  const isShared = [...names.values()].filter((other) => other === name).length > 1;
  return isShared ? `${id} ${name}` : name;
}

const LETTERS = new Intl.Segmenter();

function shortened(name: string): string {
  const letters = Array.from(LETTERS.segment(name), ({ segment }) => segment);
  return letters.length > MOST_NAME ? `${letters.slice(0, MOST_NAME - 1).join('')}…` : name;
}

function standingText(streams: readonly StreamView[]): string {
  const lacking = streams.filter((stream) => !isFine(stream)).length;
  const skipped = streams.filter(({ standing }) => standing === 'skipped').length;
  if (lacking > 0) return `NO: ${count(lacking)} of ${count(streams.length)}`;
  return skipped === 0 ? 'yes' : `but for ${count(skipped)}`;
}

/** Of what was read longest ago, and may still grow. */
function ageOf(streams: readonly StreamView[], now: number): string {
  const growing = streams.filter(({ finished, standing }) => !finished && standing !== 'skipped');
  const times = growing.map(({ dataAsOf }) => dataAsOf);
  return times.includes(undefined) ? 'never' : age(Math.min(...times.filter((time) => time !== undefined)), now);
}

function age(dataAsOf: number | undefined, now: number): string {
  if (dataAsOf === undefined) return 'never';
  return Number.isFinite(dataAsOf) ? `${formatDuration(Math.max(0, now - dataAsOf))} ago` : '';
}

/** In one word: the reasons are shown once for each cause. */
function completeness({ complete, standing }: StreamView): string {
  if (complete) return 'yes';
  return standing === 'skipped' ? 'skipped' : `NO: ${standing === 'unread' ? 'not read yet' : standing}`;
}
