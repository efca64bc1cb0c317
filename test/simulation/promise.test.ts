import { describe, expect, it } from 'vitest';
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { ORDINARY, type Readings } from '../../src/simulator/readings.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { compare, steady } from './compare.ts';
import { unexcused } from './promise.ts';
import type { Run } from './state.ts';
import { HOUR_MS as HOUR } from '../../src/shared/time.ts';

const START = Date.parse('2026-03-01T08:00:00.000Z');
/** When the stream was read, and when the sync that did so began. */
const READ = START + 48 * HOUR;
const at = (hours: number) => START + hours * HOUR;

const message = (id: number, hours: number, more: SimRecord = {}): SimRecord => ({
  messageId: `m${id}`,
  timestamp: new Date(at(hours)).toISOString(),
  ...more,
});

function life(
  record: SimRecord,
  { from = START, removedAt = Infinity, edited = [] as [number, SimRecord][] } = {},
): Life {
  const later = edited.map(([time, change]) => ({ from: time, record: { ...record, ...change } }));
  return { participant: undefined, versions: [{ from, record }, ...later], removedAt };
}

/** Thirty messages, one an hour up to the 47th. */
const USUAL = Array.from({ length: 30 }, (_, i) => message(i, 18 + i));
const LIVES = USUAL.map((record) => life(record));
const range = { from: READ, to: READ + 1000, unsaid: [] };

const figures = ({ missing, stale, deleted, invented }: ReturnType<typeof compare>) =>
  [missing, stale, deleted, invented].map((list) => list.length);

describe('a comparison with the truth', () => {
  it('finds nothing if the table is the truth', () => {
    expect(figures(compare(LIVES, USUAL, range))).toEqual([0, 0, 0, 0]);
  });

  it('names what is missing, stale, deleted and invented', () => {
    const lives = [
      life(message(1, 1)),
      life(message(2, 1), { edited: [[READ - 1, { content: 'new' }]] }),
      life(message(3, 1), { removedAt: READ }),
    ];
    const held = [message(2, 1), message(3, 1), message(4, 1)];
    expect(figures(compare(lives, held, range))).toEqual([1, 1, 1, 1]);
  });

  it('takes a former version beside the present one for a row that should have gone', () => {
    const edited = life(message(1, 1), { edited: [[READ - 1, { content: 'new' }]] });
    const held = [message(1, 1), message(1, 1, { content: 'new' })];
    expect(figures(compare([edited], held, range))).toEqual([0, 0, 1, 0]);
  });

  it('takes either version of what changed since the reading began, and whatever came or went since', () => {
    const arrives = life(message(1, 1), { from: READ + 500 });
    const goes = life(message(2, 1), { removedAt: READ + 500 });
    const changes = life(message(3, 1), { edited: [[READ + 500, { content: 'new' }]] });
    const lives = [arrives, goes, changes];
    expect(figures(compare(lives, [message(3, 1)], range))).toEqual([0, 0, 0, 0]);
    const all = [message(1, 1), message(2, 1), message(3, 1, { content: 'new' })];
    expect(figures(compare(lives, all, range))).toEqual([0, 0, 0, 0]);
    expect(figures(compare(lives, [], range))).toEqual([1, 0, 0, 0]);
  });

  it('counts exact repeats', () => {
    const twice = [life(message(1, 1)), life(message(1, 1))];
    expect(figures(compare(twice, [message(1, 1)], range))).toEqual([1, 0, 0, 0]);
    expect(figures(compare(twice, Array<SimRecord>(3).fill(message(1, 1)), range))).toEqual([0, 0, 0, 1]);
    expect([...steady(twice, range).values()]).toEqual([2]);
  });
});

/** What is left of the differences of a stream that says complete. */
function left(
  lives: readonly Life[],
  held: readonly SimRecord[],
  { readings = {}, verified = NaN }: { readings?: Partial<Readings>; verified?: number } = {},
) {
  const run: Run = {
    seed: 1,
    random: createRandom(1),
    readings: { ...ORDINARY, ...readings },
    world: createWorld({
      seed: 1,
      start: START,
      experiments: 1,
      roomsPerExperiment: 0,
      participantsPerRoom: 0,
      videoSeconds: 0,
      roomEveryMs: HOUR,
    }),
    experimentId: 'e',
    idsByRoom: false,
    isEventful: false,
    clock: { now: () => READ, uptime: () => 0, bootId: 'test', sleep: () => Promise.resolve() },
    lookbackMs: HOUR,
    lasting: [],
    wrong: [],
    starts: [START, at(30), READ],
    held: new Map(),
    story: [],
    violations: [],
    told: new Set(),
    erasures: undefined,
    erasedAt: Infinity,
    now: READ + 1000,
    stormy: false,
    requests: 0,
    faults: 0,
    kills: 0,
  };
  const verifiedAt = Number.isNaN(verified) ? null : new Date(verified).toISOString();
  const part = {
    data: 'chat',
    scope: 'experiment',
    asOf: new Date(READ).toISOString(),
    verifiedAt,
    lives,
    listed: lives,
    held,
  };
  return figures(unexcused(run, part, compare(lives, held, range), READ));
}

describe('the promise of a stream that says complete', () => {
  const late = life(message(90, 3), { from: at(40) });
  const gone = life(message(91, 4), { removedAt: at(40) });
  const editedOld = life(message(92, 5), { edited: [[at(40), { content: 'new' }]] });

  it('excuses no missing row, however old', () => {
    expect(left([...LIVES, late], USUAL)).toEqual([1, 0, 0, 0]);
    expect(left([...LIVES, late], USUAL, { readings: { total: 'missing' } })).toEqual([1, 0, 0, 0]);
  });

  it('excuses a deleted row only if answers have no total', () => {
    const held = [...USUAL, message(91, 4)];
    expect(left([...LIVES, gone], held)).toEqual([0, 0, 1, 0]);
    expect(left([...LIVES, gone], held, { readings: { pagination: 'missing' } })).toEqual([0, 0, 0, 0]);
  });

  it('excuses as many late rows as deleted ones, as the total is the same, while they are old', () => {
    expect(left([...LIVES, late, gone], [...USUAL, message(91, 4)])).toEqual([0, 0, 0, 0]);
    const fresh = life(message(93, 47), { from: at(47) });
    expect(left([...LIVES, fresh, gone], [...USUAL, message(91, 4)])).toEqual([1, 0, 1, 0]);
  });

  it('excuses no row that was the newest when it came, as the watermark says that it is still to be read', () => {
    const prompt = USUAL.map((record, i) => life(record, { from: at(18 + i) }));
    const newest = life(message(94, 20.5), { from: at(20.5) });
    const behind = life(message(94, 19.5), { from: at(20.5) });
    expect(left([...prompt, newest, gone], [...USUAL, message(91, 4)])).toEqual([1, 0, 1, 0]);
    expect(left([...prompt, behind, gone], [...USUAL, message(91, 4)])).toEqual([0, 0, 0, 0]);
  });

  it('excuses an edit behind the newest page, and none in it', () => {
    expect(left([...LIVES, editedOld], [...USUAL, message(92, 5)])).toEqual([0, 0, 0, 0]);
    const editedNew = life(message(93, 47), { edited: [[at(47.5), { content: 'new' }]] });
    expect(left([...LIVES, editedNew], [...USUAL, message(93, 47)])).toEqual([0, 1, 0, 0]);
  });

  it('excuses nothing that existed when the stream says that it verified everything', () => {
    const held = [...USUAL, message(91, 4), message(92, 5)];
    expect(left([...LIVES, late, gone, editedOld], held, { verified: READ })).toEqual([1, 1, 1, 0]);
    expect(left([...LIVES, late, gone, editedOld], held, { verified: at(30) })).toEqual([0, 0, 0, 0]);
  });

  it('excuses no old edit if enough rows in sight changed with it', () => {
    const edited = USUAL.map((record) => life(record, { edited: [[at(47.5), { onset: 300 }]] }));
    const crowd = Array.from({ length: 6 }, (_, i) => message(50 + i, 47));
    const crowdEdited = crowd.map((record) => life(record, { edited: [[at(47.5), { onset: 300 }]] }));
    const seen = crowd.map((record) => ({ ...record, onset: 300 }));
    expect(left(edited, USUAL)).toEqual([0, 1, 0, 0]);
    expect(left([...edited, ...crowdEdited], [...USUAL, ...seen])).toEqual([0, 30, 0, 0]);
  });

  it('excuses no invented row', () => {
    expect(left(LIVES, [...USUAL, message(99, 1)])).toEqual([0, 0, 0, 1]);
  });
});
