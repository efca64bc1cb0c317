import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { queryRows } from '../shared/sqlite.ts';
import { code, count, real, WHOSE } from './columns.ts';
import { defineDerived, type DerivedTable, type Part } from './define.ts';
import { named, Num, Text, within } from './source.ts';
import { stages } from './stages.ts';

export const GRID = 'ratings_grid';

/** A value is carried over this many instants at most: a room may stay open for hours, or an onset be wrong. */
const MOST_CARRIED = 10_000;

const COLUMNS = {
  ...WHOSE,
  component_id: code('The component that was rated.', { missing: 'The ratings name none.' }),
  onset: real('The instant, from the start of the experiment: a whole multiple of the interval.', {
    privacy: 'none',
    unit: 'ms',
  }),
  onset_s: real('The instant, from the start of the experiment.', { privacy: 'none', unit: 's' }),
  value: real('The last rating at that instant.', { privacy: 'none', unit: 'scale units' }),
  samples: count('How many ratings there were since the instant before; 0: the value is carried forward.'),
  state_id: code('The state in which that rating was given.', { missing: 'No event says so.' }),
  medium: code('The medium on the screen, as in stages.', { missing: 'There was none, or it is not known.' }),
} as const;

/**
 * The continuous ratings at common instants. A value holds from its own instant until the next rating of the person and
 * component or, where that comes first, until the end of the stage in which it was given; where that end is not known,
 * until the last rating of the stage.
 * @param interval between two instants, in ms.
 */
export function ratingsGrid(interval: number): DerivedTable {
  return defineDerived({
    name: GRID,
    about: 'Continuous ratings at common instants, the last value carried forward; optional.',
    row: `an instant of a participant's ratings of a component`,
    key: ['room_id', 'participant_id', 'component_id', 'onset'],
    of: 'room',
    isLast: true,
    sources: ['ratings/continuous', ...stages.sources],
    roomWide: stages.roomWide ?? [],
    commonSources: stages.commonSources ?? [],
    version: `1 at ${interval} ms`,
    columns: COLUMNS,
    rows(db, part) {
      const stays = Map.groupBy(staysIn(db, part), ({ participant_id }) => participant_id);
      const courses = Map.groupBy(samplesIn(db, part), ({ participant_id, component_id }) =>
        JSON.stringify([participant_id, component_id]),
      );
      return [...courses.values()].flatMap((course) => {
        const own = stays.get(course[0]?.participant_id ?? '') ?? [];
        return [...instantsOf(course, own, interval)].map(([onset, { sample, samples, stay }]) => ({
          experiment_id: part.experiment,
          room_id: part.room,
          participant_id: sample.participant_id,
          component_id: sample.component_id,
          onset,
          onset_s: onset / 1000,
          value: sample.value,
          samples,
          state_id: stay?.state_id ?? null,
          medium: stay?.medium ?? null,
        }));
      });
    },
  });
}

/** The interval of the table in a file, by its declaration; undefined where there is none. */
export function gridInterval(declared: string | undefined): number | undefined {
  const interval = / at ([\d.]+) ms \*\/$/.exec(declared ?? '')?.[1];
  return interval === undefined ? undefined : Number(interval);
}

const Sample = z.object({ participant_id: z.string(), component_id: Text, onset: z.number(), value: z.number() });
type Sample = z.infer<typeof Sample>;

function samplesIn(db: Database, part: Part): Sample[] {
  const sql = `SELECT participant_id, component_id, onset, value FROM ratings_continuous
    WHERE ${within(part)} AND participant_id IS NOT NULL AND onset IS NOT NULL AND value IS NOT NULL
    ORDER BY onset, timestamp, key`;
  return queryRows(db, sql, Sample).all(named(part));
}

const Stay = z.object({
  participant_id: z.string(),
  state_id: Text,
  medium: Text,
  start_onset: z.number(),
  end_onset: Num,
});
type Stay = z.infer<typeof Stay>;

/** The stages of a part, which are computed before. */
function staysIn(db: Database, part: Part): Stay[] {
  const sql = `SELECT participant_id, state_id, medium, start_onset, end_onset FROM stages
    WHERE ${within(part)} AND start_onset IS NOT NULL ORDER BY start_onset, number`;
  return queryRows(db, sql, Stay).all(named(part));
}

interface Instant {
  readonly sample: Sample;
  readonly samples: number;
  readonly stay: Stay | undefined;
}

/** The instants of one person's ratings of one component, by their onset. */
function instantsOf(course: readonly Sample[], stays: readonly Stay[], interval: number): Map<number, Instant> {
  const instants = new Map<number, Instant>();
  const stayOf = staysAt(course, stays);
  for (const [i, sample] of course.entries()) {
    const [stay, next] = [stayOf[i], course[i + 1]];
    // Not minus zero.
    const first = Math.ceil(sample.onset / interval) + 0;
    // A later one within the same interval takes the place of an earlier one.
    const samples = (instants.get(first * interval)?.samples ?? 0) + 1;
    instants.set(first * interval, { sample, samples, stay });
    const goesOn = next !== undefined && stayOf[i + 1] === stay;
    const until = Math.min(next?.onset ?? Infinity, stay?.end_onset ?? (goesOn ? Infinity : -Infinity));
    for (let n = first + 1; n * interval < until && n <= first + MOST_CARRIED; n++)
      instants.set(n * interval, { sample, samples: 0, stay });
  }
  return instants;
}

/** The stage of each sample: the last one that has begun. */
function staysAt(course: readonly Sample[], stays: readonly Stay[]): (Stay | undefined)[] {
  let at = -1;
  return course.map(({ onset }) => {
    while ((stays[at + 1]?.start_onset ?? Infinity) <= onset) at++;
    return stays[at];
  });
}
