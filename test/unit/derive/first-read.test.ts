import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

const answer = (id: number) => ({
  id: `e${id}`,
  roomId: 'r',
  participantId: 'ana',
  ...at(id),
  eventType: 'component.response',
  componentId: 'c',
  response: { value: id },
});
const PERSON = { id: 'ana', roomId: 'r', joinedAt: at(0).timestamp };

describe('during a first read', () => {
  it('the tables that follow from it wait, and are right once it has ended', () => {
    const bench = openBench();
    bench.readPage('events', answer(1));
    bench.readPage('events', answer(2));
    expect(bench.rows('answers')).toEqual([]);
    bench.write('events');
    expect(bench.rows('answers', 'value_number', 'is_last')).toEqual([
      { value_number: 1, is_last: 0 },
      { value_number: 2, is_last: 1 },
    ]);
    expect(bench.rows('_derive_pending')).toEqual([]);
    expect(bench.wrong()).toEqual([]);
  });

  it('those tables wait for forty pages, and then for eighty each time', () => {
    const bench = openBench();
    const computedAt = (pages: number) => {
      const found = new Set<number>();
      for (let page = 1; page <= pages; page++) {
        bench.readPage('events', answer(page));
        found.add(bench.rows('answers').length);
      }
      return [...found];
    };
    expect(computedAt(300)).toEqual([0, 40, 120, 200, 280]);
  });

  it('counts of people do not wait', () => {
    const bench = openBench();
    bench.write('participants', PERSON);
    bench.readPage('ratings/continuous', { ratingId: '1', participantId: 'ana', roomId: 'r', value: 1, ...at(0) });
    expect(bench.rows('people', 'n_ratings_continuous AS n')).toEqual([{ n: 1 }]);
    expect(bench.rows('_derive_pending')).toEqual([]);
  });

  it('a kill leaves no table waiting for ever', () => {
    const path = join(temporaryFolder(), 'w.db');
    const bench = openBench(path);
    bench.readPage('events', answer(1));
    expect(bench.wrong()).toEqual([]);
    bench.warehouse.close();
    const again = openBench(path);
    expect(again.rows('answers')).toHaveLength(1);
    expect(again.wrong()).toEqual([]);
  });

  it('a sync that ends before it is through computes what it has', () => {
    const bench = openBench();
    bench.readPage('events', answer(1));
    bench.warehouse.tendForReaders();
    expect(bench.rows('answers')).toHaveLength(1);
  });

  it('places with empty or broken names are kept apart', () => {
    const bench = openBench();
    const named = (id: number, roomId: string, participantId: string) => ({ ...answer(id), roomId, participantId });
    bench.readPage('events', named(1, 'r', ''), named(2, 'r\nx', 'y'), named(3, 'r', 'x\ny'));
    bench.write('events');
    expect(bench.rows('answers')).toHaveLength(3);
    expect(bench.wrong()).toEqual([]);
  });
});
