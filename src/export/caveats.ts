import { count, counted } from '../shared/count.ts';
import type { StoredPosition } from '../warehouse/positions.ts';
import { standingOf, type Standing } from '../warehouse/standing.ts';

/** What an export says about the data that it wrote. */
export interface Lacks {
  /** A sentence for each cause, with counts. */
  readonly lines: readonly string[];
  /** Whether the data may differ from what the API holds. */
  readonly isDoubtful: boolean;
}

/** What follows the number of streams. */
const CAUSES: readonly (readonly [Standing, (streams: number) => string])[] = [
  ['failed', () => 'could not be read last time, so newer rows may be missing'],
  ['lost', () => 'can no longer be read with this key, so newer rows may be missing'],
  ['gone', () => 'can no longer be found in the API; the rows are those of the last read'],
  ['incomplete', () => 'may be incomplete'],
  ['unread', (streams) => `${streams === 1 ? 'was' : 'were'} never read, so rows are missing`],
  ['skipped', () => 'cannot be read with this key, so there are no rows'],
];

/**
 * What the streams of an exported data type may lack.
 * @param quarantined how many records could not be stored as rows.
 * @param isWritten whether they were written all the same; undefined where they cannot be.
 */
export function describeLacks(
  data: string,
  streams: readonly StoredPosition[],
  {
    quarantined,
    isWritten,
    issues,
  }: {
    readonly quarantined: number;
    readonly isWritten?: boolean;
    readonly issues: readonly { readonly message: string }[];
  },
): Lacks {
  const standings = Map.groupBy(streams, standingOf);
  const unconfigured = standings.get('unconfigured') ?? [];
  const causes = CAUSES.flatMap(([standing, words]) => {
    const all = standings.get(standing) ?? [];
    return all.length === 0 ? [] : [`${share(all, streams)} of ${data} ${words(all.length)}: ${reasonsOf(all)}.`];
  });
  const lacks = [
    ...issues.map(({ message }) => message),
    ...(streams.length === 0 ? [`No records of ${data} were ever read.`] : []),
    ...causes,
    ...withheldLines(data, streams),
    ...quarantinedLines(data, quarantined, isWritten),
  ];
  const stale = `The rows of ${counted(unconfigured.length, 'stream')} of ${data} that the configuration no longer asks for are those of the last read: ${namesOf(unconfigured)}.`;
  return {
    lines: [...lacks, ...(unconfigured.length === 0 ? [] : [stale])],
    isDoubtful: lacks.length > 0,
  };
}

function withheldLines(data: string, streams: readonly StoredPosition[]): string[] {
  const withheld = sum(streams, ({ withheldRows }) => withheldRows);
  if (withheld === 0) return [];
  const are = withheld === 1 ? 'is' : 'are';
  return [`${counted(withheld, 'row')} of ${data} ${are} withheld from deletion, although no longer in the API.`];
}

function quarantinedLines(data: string, quarantined: number, isWritten: boolean | undefined): string[] {
  if (quarantined === 0) return [];
  const [they, them, rows] = quarantined === 1 ? ['It is', 'it', 'a row'] : ['They are', 'them', 'rows'];
  const kept = isWritten === true ? ` ${they} written after the rows.` : ` Write ${them} too with --quarantined.`;
  const said = `${counted(quarantined, 'record')} of ${data} could not be stored as ${rows}.`;
  return [isWritten === undefined ? said : `${said}${kept}`];
}

/** `3 of 5 streams`, `The only stream` */
function share({ length }: readonly unknown[], all: readonly unknown[]): string {
  return all.length === 1 ? 'The only stream' : `${count(length)} of ${counted(all.length, 'stream')}`;
}

/** How many streams are named, and how many reasons. */
const NAMED = 3;

function reasonsOf(streams: readonly StoredPosition[]): string {
  const reasons = Map.groupBy(streams, ({ reason, lastError }) => reason ?? lastError ?? 'the reason is not known');
  const named = [...reasons].slice(0, NAMED).map(([reason, all]) => `${namesOf(all)} (${reason.replace(/\.$/, '')})`);
  const more = reasons.size - named.length;
  return `${named.join('; ')}${more > 0 ? `; and for ${counted(more, 'other reason')}` : ''}`;
}

function namesOf(streams: readonly StoredPosition[]): string {
  const names = streams.map(({ experimentId, scope }) =>
    scope === 'experiment' ? experimentId : `${scope} of ${experimentId}`,
  );
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
}

function sum(streams: readonly StoredPosition[], pick: (stream: StoredPosition) => number): number {
  return streams.reduce((total, stream) => total + pick(stream), 0);
}
