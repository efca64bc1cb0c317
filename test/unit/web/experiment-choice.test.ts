import { describe, expect, it } from 'vitest';
import { addressWith, choiceIn, chosen, NO_CHOICE, type Choice } from '../../../src/web/dashboard/experiment-choice.ts';
import { dashboard } from '../../../src/web/dashboard/page.ts';
import type { ExperimentView, StreamView } from '../../../src/status/snapshot.ts';
import { sampleView } from '../../daemon/sample-view.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');
const VIEW = sampleView(NOW);

/** An experiment of one stream. */
function experiment(id: string, name: string, change: Partial<StreamView>, live = false): ExperimentView {
  const [stream] = VIEW.experiments.flatMap(({ streams }) => streams);
  if (stream === undefined) throw new Error('the sample has no stream');
  const settled: StreamView = {
    ...stream,
    complete: true,
    standing: 'complete',
    reason: undefined,
    rows: 1,
    dataAsOf: NOW,
  };
  return { id, name, live, isGone: false, streams: [{ ...settled, ...change }] };
}

const ALL = [
  experiment('exp_a', 'Zebra', { rows: 5 }),
  experiment('exp_b', 'Émotions', { rows: 70, dataAsOf: NOW - 60_000 }, true),
  experiment('exp_c', 'Anchor', { complete: false, standing: 'incomplete', rows: 3 }),
  experiment('exp_d', 'Never', { complete: false, standing: 'unread', dataAsOf: undefined, rows: 0 }),
];
const ids = (choice: Partial<Choice>) =>
  chosen(ALL, { ...NO_CHOICE, ...choice }, NOW)
    .map(({ experiment: { id } }) => id.slice(-1))
    .join('');

describe('the experiments of the dashboard', () => {
  it('come with problems first, then live ones, then by name, if nothing is chosen', () => {
    expect(ids({})).toBe('cbda');
  });

  it('are found by a part of their name or id, whatever its case and accents', () => {
    expect([ids({ find: 'EMOT' }), ids({ find: 'émot' }), ids({ find: 'exp_a' }), ids({ find: 'none' })]).toEqual([
      'b',
      'b',
      'a',
      '',
    ]);
  });

  it('are narrowed down to those of one state', () => {
    expect([ids({ show: 'problems' }), ids({ show: 'live' }), ids({ show: 'complete' })]).toEqual(['c', 'b', 'ba']);
  });

  it('are sorted by name, by rows or by age, where those that were never read count as the oldest', () => {
    expect([ids({ order: 'name' }), ids({ order: 'rows' }), ids({ order: 'age' })]).toEqual(['cbda', 'bacd', 'dbca']);
  });

  it('are chosen by the page’s address, in which unknown words are ignored', () => {
    const choice = { find: 'a & b', show: 'live', order: 'age' } as const;
    expect(choiceIn(new URL(addressWith(choice), 'http://lab').searchParams)).toEqual(choice);
    expect(choiceIn(new URLSearchParams('show=constructor&order=%00&find=+'))).toEqual(NO_CHOICE);
    expect(addressWith(NO_CHOICE)).toBe('/');
  });

  it('have a search form if there are more than eight, which says how many were found', async () => {
    const many = Array.from({ length: 9 }, (_, n) => experiment(`exp_${n}`, `Study ${n}`, {}));
    const page = async (experiments: readonly ExperimentView[], choice?: Choice) =>
      String(await dashboard({ ...VIEW, experiments }, choice));
    expect(await page(many.slice(1))).not.toContain('<form');
    expect(await page(many)).toContain('<form');
    const found = await page(many, { ...NO_CHOICE, find: '<Study 7' });
    expect(found).toContain('0 of 9');
    expect(found).toContain('value="&lt;Study 7"');
    expect(await page(many.slice(1), { ...NO_CHOICE, find: 'Study 7' })).toContain('1 of 8');
  });
});
