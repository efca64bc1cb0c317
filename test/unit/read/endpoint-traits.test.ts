import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Scope, Stream } from '../../../src/datasets/stream.ts';
import { openTraits, type TraitValues } from '../../../src/read/endpoint-traits.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
import { readLearned, writeLearned } from '../../../src/warehouse/positions.ts';
import { DAY_MS as DAY } from '../../../src/shared/time.ts';

const WEEK = 7 * DAY;
const EXPERIMENT: Scope = { kind: 'experiment' };

/** What is learned in one warehouse, at a time that a test sets. */
function learning() {
  const db = openEmpty();
  let now = Date.parse('2026-01-12T09:00:00.000Z');
  const open = (experimentId = 'exp_1', data = 'events', scope = EXPERIMENT, filter?: Stream['filter']) =>
    openTraits(
      db,
      { experimentId, dataset: datasetNamed(data), scope, ...(filter === undefined ? {} : { filter }) },
      () => now,
    );
  return {
    db,
    open,
    after: (ms: number) => void (now += ms),
  };
}

const OF_ENDPOINT: TraitValues[] = [
  { startTimeRefused: true },
  { sortRefused: true },
  { endTimeRefused: true },
  { pageSize: 2000 },
  { pageSizeTried: true },
  { largestPage: 2000 },
];
const OF_STREAM: TraitValues[] = [
  { startTimeIgnored: true },
  { descendingIgnored: true },
  { endTime: 'ignored' },
  { smallerPage: 250 },
  { offsetIgnored: true },
  { sortOmits: true },
  { totalProven: 0 },
  { narrowerFailed: true },
  { narrowerMissed: true },
  { unsettled: -3 },
  { startMoved: true },
];
const named = (traits: TraitValues[]) => traits.map((one) => [Object.keys(one).join(), one] as const);

describe('a trait that was learned', () => {
  it.each(named(OF_ENDPOINT))('of %s holds for every stream of the endpoint', (_name, traits) => {
    const { open } = learning();
    open('exp_1').learn(traits, 'a test');
    expect(open('exp_2').known).toEqual(traits);
  });

  it.each(named(OF_STREAM))('of %s holds for the stream in which it showed', (_name, traits) => {
    const { open } = learning();
    open('exp_1').learn(traits, 'a test');
    expect(open('exp_1').known).toEqual(traits);
    expect(open('exp_2').known).toEqual({});
  });

  it('holds for neither another data type nor another part of an experiment', () => {
    const { open } = learning();
    open().learn({ sortRefused: true, offsetIgnored: true }, 'a test');
    expect(open('exp_1', 'chat').known).toEqual({});
    expect(open('exp_1', 'events', { kind: 'room', id: 'room_1' }).known).toEqual({});
  });

  it('of a room holds for the endpoint of rooms, and of that room', () => {
    const { open } = learning();
    open('exp_1', 'events', { kind: 'room', id: 'room_1' }).learn({ sortRefused: true, endTime: 'ignored' }, 'a test');
    expect(open('exp_1', 'events', { kind: 'room', id: 'room_2' }).known).toEqual({ sortRefused: true });
  });

  it('of a filtered stream does not hold for the whole', () => {
    const { open } = learning();
    open('exp_1', 'events', EXPERIMENT, { category: 'state' }).learn({ offsetIgnored: true }, 'a test');
    expect(open().known).toEqual({});
  });

  it('is seen at once by streams that are open', () => {
    const { open } = learning();
    const [one, other] = [open('exp_1'), open('exp_2')];
    one.learn({ sortRefused: true }, 'a test');
    other.learn({ pageSize: 2000 }, 'another test');
    expect(one.known).toEqual({ sortRefused: true, pageSize: 2000 });
  });

  it('replaces an earlier value', () => {
    const { open } = learning();
    open().learn({ pageSize: 2000 }, 'a test');
    open().learn({ pageSize: 1000 }, 'another test');
    expect(open().known).toEqual({ pageSize: 1000 });
  });

  it('is kept with its evidence and date', () => {
    const { db, open } = learning();
    open().learn({ sortRefused: true }, 'the API answered 400');
    expect(JSON.parse(readLearned(db, 'events experiment') ?? '')).toEqual({
      sortRefused: { value: true, at: Date.parse('2026-01-12T09:00:00.000Z'), evidence: 'the API answered 400' },
    });
    open().learn({ offsetIgnored: true }, 'the same rows came');
    expect(readLearned(db, 'events experiment of exp_1 experiment')).toContain('the same rows came');
  });

  it('can be forgotten without the rest', () => {
    const { open } = learning();
    open().learn({ sortRefused: true, pageSize: 2000, totalProven: 7, offsetIgnored: true }, 'a test');
    open().forget('sortRefused');
    open('exp_2').forget('offsetIgnored');
    open().forget('totalProven');
    expect(open().known).toEqual({ pageSize: 2000, offsetIgnored: true });
  });
});

describe('a trait', () => {
  const short = new Set(['smallerPage', 'narrowerFailed', 'narrowerMissed', 'unsettled']);

  it.each(named([...OF_ENDPOINT, ...OF_STREAM]))('of %s is tried again after its time', (name, traits) => {
    const { open, after } = learning();
    open().learn(traits, 'a test');
    after(short.has(name) ? DAY : WEEK);
    expect(open().known).toEqual(traits);
    after(1);
    expect(open().known).toEqual({});
  });

  it('counts its time from when it was last seen', () => {
    const { open, after } = learning();
    open().learn({ sortRefused: true }, 'a test');
    after(WEEK - DAY);
    open().learn({ sortRefused: true }, 'the same test');
    after(2 * DAY);
    expect(open().known).toEqual({ sortRefused: true });
  });

  it('is not kept longer by another that is learned later', () => {
    const { open, after } = learning();
    open().learn({ sortRefused: true }, 'a test');
    after(WEEK);
    open().learn({ pageSize: 2000 }, 'another test');
    after(1);
    expect(open().known).toEqual({ pageSize: 2000 });
  });

  it.each([
    ['is unknown to this version', { turnsIntoGold: { value: true, at: 0, evidence: 'a later version' } }],
    [
      'has a value that this version does not know',
      { pageSize: { value: 'large', at: 0, evidence: 'a later version' } },
    ],
  ])('that %s is ignored, and the other traits remain', (_what, stored) => {
    const { db, open } = learning();
    const now = Date.parse('2026-01-12T09:00:00.000Z');
    const withDate = Object.fromEntries(Object.entries(stored).map(([name, one]) => [name, { ...one, at: now }]));
    writeLearned(db, 'events experiment', JSON.stringify(withDate), now);
    expect(open().known).toEqual({});
    open().learn({ sortRefused: true }, 'a test');
    expect(open().known).toEqual({ sortRefused: true });
    expect(readLearned(db, 'events experiment')).toContain('a later version');
  });
});

describe('a trial of an endpoint', () => {
  it('is made by one stream at a time, and by the next one after that', async () => {
    const { open } = learning();
    let end = (): void => undefined;
    const first = open('exp_1').tryOut(() => new Promise<void>((resolve) => (end = resolve)));
    expect(open('exp_2').tryOut(() => Promise.resolve())).toBeUndefined();
    expect(open('exp_2', 'chat').tryOut(() => Promise.resolve())).toBeDefined();
    end();
    await first;
    expect(open('exp_2').tryOut(() => Promise.resolve('tried'))).toBeInstanceOf(Promise);
  });

  it('lets the next one begin if it fails', async () => {
    const { open } = learning();
    await expect(open('exp_1').tryOut(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(open('exp_2').tryOut(() => Promise.resolve())).toBeDefined();
  });
});
