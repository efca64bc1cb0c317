import { streamText, type Stream } from '../datasets/stream.ts';
import { cleanLine } from '../shared/clean-text.ts';
import { count, counted } from '../shared/count.ts';
import { formatDuration } from '../shared/time.ts';
import type { Verdict, VerifyResult } from '../sync/verify.ts';

/** How many keys of a difference a line shows; `--json` has them all. */
const KEYS_SHOWN = 5;

/** What was found of a stream, as a line. */
export function verdictLine(stream: Stream, verdict: Verdict, isRepair: boolean): string {
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

/** What was found of all, as the last lines. */
export function closing(
  { at, requests, durationMs, streams, issues, derived }: VerifyResult,
  isRepair: boolean,
): string {
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
