import { describe, expect, it } from 'vitest';
import { backfillBudget, leftByPolls, pollBudget, PRIORITIES, shareOf } from '../../../src/budget/priorities.ts';

describe('the priorities', () => {
  const demand = { allowed: 900, used: 500, planned: 200, reconcileShare: 0.2 };

  it('allow first reads, reconcile and media a part of each limit, and everything else the whole limit', () => {
    const shares = Object.entries(PRIORITIES).map(([name, { rank }]) => [name, shareOf(rank, demand)]);
    expect(Object.fromEntries(shares)).toEqual({
      user: 1,
      live: 1,
      fresh: 1,
      other: 1,
      backfill: 0.4,
      reconcile: 0.2,
      media: 0.1,
    });
  });

  it('let a first read continue one request at a time in an hour that is used up', () => {
    expect(shareOf(PRIORITIES.backfill.rank, { ...demand, used: 900 })).toBe(1 / 900);
  });

  it('reserve a part for first reads and reconcile only while there are any', () => {
    const left = (isBackfilling: boolean, isReconciling: boolean) =>
      leftByPolls(demand, { isBackfilling, isReconciling });
    expect([left(false, false), left(true, false), left(false, true), left(true, true)]).toEqual([0, 135, 180, 315]);
  });
});

describe('the budgets', () => {
  it('shrink with the use of the last hour, but never so far that polls stop', () => {
    const plan = (used: number) => pollBudget({ allowed: 900, used, others: 60 });
    expect(plan(0)).toBe(750);
    expect(plan(810)).toBe(750);
    expect(plan(850)).toBe(510);
    expect(plan(900)).toBe(270);
  });

  it('give a backfill more at quiet times, and none of the slack', () => {
    const left = (planned: number, used: number) => backfillBudget({ allowed: 900, planned, used });
    expect(left(200, 500)).toBe(360);
    expect(left(540, 809)).toBe(270);
    expect(left(810, 809)).toBe(210);
    expect(left(540, 810)).toBe(0);
  });
});
