import type { Clock } from '../../src/shared/clock.ts';
import type { ApiFault } from '../../src/simulator/faults.ts';
import type { Random } from '../../src/simulator/random.ts';
import type { Readings } from '../../src/simulator/readings.ts';
import type { World } from '../../src/simulator/world.ts';
import type { Erasures } from '../../src/warehouse/erasures.ts';

/** Page size that the mirror is configured with. */
export const PAGE_SIZE = 20;

/** One seed's run: the world, what the API does wrong, and what was seen so far. */
export interface Run {
  readonly seed: number;
  readonly random: Random;
  readonly readings: Readings;
  readonly world: World;
  readonly experimentId: string;
  /** Whether ids are unique within a room only. */
  readonly idsByRoom: boolean;
  /** Whether much happens to the store that its release notes tell of. */
  readonly isEventful: boolean;
  readonly clock: Clock;
  readonly lookbackMs: number;
  /** What the API does wrong from the first request to the last. */
  readonly lasting: readonly ApiFault[];
  /** What it does wrong now; the simulated API looks here at every request. */
  readonly wrong: ApiFault[];
  /** When each sync began. */
  readonly starts: number[];
  /** What the tables held after the last sync: for each data type how often each record, as text. */
  readonly held: Map<string, ReadonlyMap<string, number>>;
  readonly story: string[];
  readonly violations: string[];
  /** Violations without their figures, as they were told already. */
  readonly told: Set<string>;
  /** The people who were erased, if any were. */
  erasures: Erasures | undefined;
  /** When they were erased. */
  erasedAt: number;
  now: number;
  /** Whether faults and kills may strike. */
  stormy: boolean;
  requests: number;
  faults: number;
  kills: number;
}

/** When the sync began in which something was stamped; what changed from then on may have been seen or not. */
export function beganBy(run: Run, stamp: number): number {
  return run.starts.findLast((start) => start <= stamp + 1000) ?? -Infinity;
}

/** Fields that answers leave out at some scopes while others fill them: no statement is made about them. */
export function unsaid(run: Pick<Run, 'story'>, data: string): readonly string[] {
  const isNulled = run.story.some((line) => line.includes('"nulled"') && line.includes(`"${data}"`));
  if (!isNulled) return [];
  return data === 'recordings' ? ['downloadUrl'] : ['reasoning', 'inputTokens', 'outputTokens'];
}

/** Whether answers tell how many records of a data type there are. */
export function isCounted({ readings: { total, pagination }, lasting }: Run, data: string): boolean {
  if (total !== 'right' || pagination === 'missing' || UNPAGED.includes(data)) return false;
  if (typeof pagination === 'object' && pagination.missingFor.includes(data)) return false;
  return !lasting.some((fault) => fault.kind === 'totalIsReturned' && strikes(fault, data));
}

/** These have no pages, and so no total: one answer is all there is. */
export const UNPAGED = [
  'variables',
  'agent-decisions',
  'agent-runs',
  'deployments',
  'deployment-sessions',
  'experiment-configs',
];

export function strikes({ dataTypes }: ApiFault, data: string): boolean {
  return dataTypes?.includes(data) ?? true;
}
