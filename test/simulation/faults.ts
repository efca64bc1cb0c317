import { isAmong, type ApiFault } from '../../src/simulator/faults.ts';
import { happen, ODD_TIMES, type Happening } from '../../src/simulator/happenings.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import type { Random } from '../../src/simulator/random.ts';
import { withSharedIds } from './checks.ts';
import { IDENTIFIED, TYPES } from './life.ts';
import { textOf } from './mirror.ts';
import { PAGE_SIZE, type Run } from './state.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../src/shared/time.ts';

/** What is drawn from: a maker for each kind of fault or happening. */
type Makers<T> = readonly [() => T, ...(() => T)[]];

/** One or two of the data types that may be large. */
function some(random: Random): string[] {
  return [random.pick(TYPES), random.pick([...TYPES, 'ratings/sparse'])];
}

/** What the API of a seed does wrong for good; mostly nothing. */
export function lastingFaults(random: Random): ApiFault[] {
  const makers: Makers<ApiFault> = [
    () => ({ kind: 'totalIsReturned', dataTypes: some(random) }),
    () => ({ kind: 'blindFilter', dataTypes: some(random), to: random.pick([0.05, 0.3, 0.6]) }),
    () => ({ kind: 'sortNeedsField', dataTypes: some(random) }),
    () => ({ kind: 'tooLarge', dataTypes: some(random), above: random.int(10, 15) }),
    () => ({ kind: 'truncated', scopes: ['experiment'], perRoom: random.int(1, 11) }),
    () => nulled(random),
  ];
  return makers.filter(() => random.chance(0.05)).map((make) => make());
}

/** Something that the API does wrong for a while. */
export function passingFault(run: Run, now: number): ApiFault {
  const { random } = run;
  const when = { from: now, until: now + random.pick([20_000, 20 * MINUTE, 3 * DAY]) };
  const at = random.chance(0.5) ? { scopes: ['experiment'] } : {};
  const makers: Makers<ApiFault> = [
    () => ({ kind: 'totalIsReturned', dataTypes: some(random), ...when }),
    () => ({ kind: 'warned', dataTypes: some(random), lacks: random.pick([1, 0.4]), ...at, ...when }),
    () => ({ kind: 'cutPage', dataTypes: some(random), rows: random.int(0, 1), times: random.int(1, 3), ...when }),
    () => ({ kind: 'cutPage', rows: random.int(0, 1), chance: 0.15, ...when }),
    () => ({ kind: 'repeated', dataTypes: some(random), times: 1, ...when }),
    () => ({ ...lagging(run), times: 1, ...when }),
    () => ({ ...lagging(run), maxLimit: PAGE_SIZE, ...when, until: now + 3 * DAY }),
    () => ({ kind: 'blindFilter', dataTypes: some(random), to: random.pick([0.05, 0.5]), ...when }),
    () => ({ kind: 'sortNeedsField', dataTypes: some(random), ...when }),
    () => ({ kind: 'cutList', dataTypes: ['participants', 'rooms'], after: random.int(0, 3), ...when }),
    () => ({ kind: 'tooLarge', dataTypes: some(random), above: random.int(10, 15), ...when }),
    () => ({ kind: 'truncated', scopes: ['experiment'], perRoom: random.int(1, 11), ...when }),
    () => ({ ...nulled(random), ...when }),
    () => ({ kind: 'experimentGone', ...when }),
    () => ({ kind: 'scopeLost', scope: random.pick(['read:events', 'read:chat', 'read:ratings']), ...when }),
    () => ({ kind: 'scopeLost', ...when }),
  ];
  const fault = random.pick(makers)();
  return clashes(run, fault) ? passingFault(run, now) : fault;
}

/** Whether short pages would be all that is ever read, so that a cache of them is all that can be known. */
function clashes({ readings, story, wrong }: Run, fault: ApiFault): boolean {
  const isOfShortPages = (one: ApiFault) => one.kind === 'lagging' && one.maxLimit !== undefined;
  if (fault.kind === 'tooLarge') return wrong.some(isOfShortPages);
  return isOfShortPages(fault) && (readings.maxLimit <= PAGE_SIZE || story.some((line) => line.includes('"tooLarge"')));
}

/**
 * Something that every answer of one sync shows alike, and that is over before the next one: once for a data type, as
 * two syncs that show the same are two readings that agree.
 */
export function singleReading(run: Run, now: number): ApiFault | undefined {
  const { random, story } = run;
  const makers: Makers<ApiFault> = [() => lagging(run), () => replaced(run, now)];
  const fault = random.pick(makers)();
  return story.includes(JSON.stringify(fault)) ? undefined : fault;
}

/**
 * Answers that lack half of what the tables hold of a data type. What they do not hold yet comes, as nothing else could
 * show that it is lacking. Records that share an id or a name come: one of them in the place of another looks like an edit.
 */
function lagging(run: Run): ApiFault {
  const { random, held } = run;
  const dataType = anyWhere(random, (type) => (held.get(type)?.size ?? 0) > 0);
  const rows = held.get(dataType);
  let [sharedAt, shared]: [number, ReadonlySet<string>] = [NaN, new Set()];
  const isShared = (text: string) => {
    if (sharedAt !== run.now) [sharedAt, shared] = [run.now, withSharedIds(run, dataType)];
    return shared.has(text);
  };
  const lacks = (record: SimRecord) =>
    isAmong(0.5, record) && rows?.has(textOf(record)) === true && !isShared(textOf(record));
  return { kind: 'lagging', dataTypes: [dataType], lacks };
}

/** Answers that lack half of what the tables do not hold yet of a data type, and count it. */
function replaced({ random, held, world, experimentId }: Run, now: number): ApiFault {
  const isNew = (type: string) => (record: SimRecord) => held.get(type)?.has(textOf(record)) !== true;
  const dataType = anyWhere(random, (type) => world.records(type, experimentId, now).some(isNew(type)));
  const isAbsent = isNew(dataType);
  return { kind: 'replaced', dataTypes: [dataType], of: (record) => isAmong(0.5, record) && isAbsent(record) };
}

/** One of the data types of which something holds, or any if it holds of none. */
function anyWhere(random: Random, holds: (dataType: string) => boolean): string {
  const types = TYPES.filter(holds);
  return types[random.int(0, Math.max(types.length - 1, 0))] ?? random.pick(TYPES);
}

function nulled(random: Random): ApiFault {
  const scopes = [random.pick(['experiment', 'room'])];
  return { kind: 'nulled', dataTypes: ['agent-decisions'], scopes, fields: ['reasoning', 'inputTokens'] };
}

/** Something happens to the store that its release notes tell of; the run's story says what. */
export function strangely(run: Run, now: number): void {
  const { random, world, experimentId } = run;
  const happening = random.chance(0.5) && isWarned(run, 'events') ? lobby(random, now) : drawn(random, now);
  // With every other seed all that belongs to no room comes while only the experiment's own answers could show it.
  if (happening.kind === 'lobby' && run.seed % 2 === 1 && !isWarned(run, 'events')) return;
  if (happening.kind !== 'lobby' && world.records(happening.dataType, experimentId, now).length === 0) return;
  // Ids that are unique in a room only would meet others there.
  if (run.idsByRoom && (happening.kind === 'movedToRoom' || happening.kind === 'twins')) return;
  if (happening.kind === 'twins' && run.story.some((line) => line.includes('"twins"'))) return;
  if (happen(world, experimentId, happening) === 0) return;
  run.story.push(JSON.stringify(happening));
}

function isWarned({ wrong }: Run, dataType: string): boolean {
  return wrong.some((fault) => fault.kind === 'warned' && fault.dataTypes?.includes(dataType) === true);
}

function lobby(random: Random, at: number): Happening {
  return { kind: 'lobby', at, count: random.int(1, 4), ...(random.chance(0.5) ? { session: 'lobby_1' } : {}) };
}

function drawn(random: Random, at: number): Happening {
  const of = { dataType: random.pick(TYPES), at };
  const identified = { dataType: random.pick(IDENTIFIED), at };
  const field = of.dataType === 'recordings' ? 'startTime' : 'timestamp';
  const makers: Makers<Happening> = [
    () => ({ kind: 'datedAhead', ...of, byMs: random.pick([2 * HOUR, 5 * 365 * DAY]), count: random.int(1, 3) }),
    () => ({ kind: 'oddTimes', ...of, times: ODD_TIMES.filter(() => random.chance(0.5)) }),
    () => lobby(random, at),
    () => ({ kind: 'derivedAgain', ...of, field: 'onset', byMs: 300 }),
    () => ({ kind: 'derivedAgain', ...of, field, byMs: 300 }),
    () => ({ kind: 'derivedAgain', ...of, field, byMs: -2 * HOUR, of: 0.1 }),
    () => ({ kind: 'enriched', ...of, field: `shown_${random.id(3)}` }),
    () => ({ kind: 'duplicated', ...of, of: 0.1 }),
    () => ({ kind: 'deduplicated', ...of }),
    () => ({ kind: 'listedTwice', ...identified, of: 0.05, byMs: random.pick([0, HOUR]) }),
    () => ({ kind: 'twins', ...identified }),
    () => ({ kind: 'roomRenamed', dataType: 'events', at }),
    () => ({ kind: 'movedToRoom', ...of, of: 0.1 }),
    () => ({ kind: 'late', ...of, byMs: random.int(HOUR, 40 * DAY), count: random.int(1, 5) }),
  ];
  return random.pick(makers)();
}
