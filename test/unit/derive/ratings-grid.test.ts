import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

let n = 0;
const PLACE = { roomId: 'r', participantId: 'ana' };
const rating = (onset: number, value: number | null, more: object = {}) => ({
  ratingId: `${n++}`,
  ...PLACE,
  ...at(onset),
  componentId: 'c',
  value,
  ...more,
});
const event = (onset: number, eventType: string, stateId: string, more: object = {}) => ({
  id: `${n++}`,
  ...PLACE,
  ...at(onset),
  eventType,
  stateId,
  ...more,
});

function openGrid(path = join(temporaryFolder(), 'w.db'), ratingsGrid: number | undefined = 250) {
  const bench = openBench(path, 'e', { ratingsGrid });
  const grid = (where = '1', ...columns: string[]) =>
    bench
      .rows(`ratings_grid WHERE ${where} ORDER BY participant_id, component_id, onset`, ...columns)
      .map((row) => Object.values(row));
  return { ...bench, grid };
}

describe('ratings_grid', () => {
  it('has the last value at each instant from the first rating on, and how many came since the instant before', () => {
    const bench = openGrid();
    bench.write('ratings/continuous', rating(130, 1), rating(240, 2), rating(700, 3), rating(760, 4), rating(1000, 5));
    expect(bench.grid('1', 'onset', 'onset_s', 'value', 'samples')).toEqual([
      [250, 0.25, 2, 2],
      [500, 0.5, 2, 0],
      [750, 0.75, 3, 1],
      [1000, 1, 5, 2],
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('carries a value to the end of its stage, and not into the next one', () => {
    const bench = openGrid();
    bench.write(
      'events',
      event(0, 'state.enter', 'a', { data: { videoId: 'film' } }),
      event(1100, 'state.exit', 'a'),
      event(2000, 'state.enter', 'b'),
    );
    bench.write('ratings/continuous', rating(300, 1), rating(2100, 2), rating(2300, 3));
    expect(bench.grid('1', 'onset', 'value', 'samples', 'state_id', 'medium')).toEqual([
      [500, 1, 1, 'a', 'film'],
      [750, 1, 0, 'a', 'film'],
      [1000, 1, 0, 'a', 'film'],
      [2250, 2, 1, 'b', null],
      [2500, 3, 1, 'b', null],
    ]);
    bench.write('participants', { id: 'ana', roomId: 'r', completedAt: at(2900).timestamp });
    expect(bench.grid('onset > 2500', 'onset', 'value', 'samples')).toEqual([[2750, 3, 0]]);
    expect(bench.wrong()).toEqual([]);
  });

  it('tells people, rooms and components apart, and leaves out what has no value, time or person', () => {
    const bench = openGrid();
    bench.write(
      'ratings/continuous',
      rating(0, 1),
      rating(0, 2, { componentId: 'd' }),
      rating(0, 3, { participantId: 'bo' }),
      rating(0, 4, { roomId: 's' }),
      rating(500, null),
      { ...rating(500, 9), onset: null },
      rating(500, 9, { participantId: null }),
    );
    const values = () => bench.grid('1', 'room_id', 'participant_id', 'component_id', 'onset', 'value');
    expect(values().toSorted()).toEqual([
      ['r', 'ana', 'c', 0, 1],
      ['r', 'ana', 'd', 0, 2],
      ['r', 'bo', 'c', 0, 3],
      ['s', 'ana', 'c', 0, 4],
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('follows ratings that change and go, and a design that says another medium', () => {
    const bench = openGrid();
    const [one, other] = [rating(0, 1), rating(400, 2)];
    const shown = (videoId: string) => ({ id: 'a', focusComponent: { id: 'v', config: { videoId } } });
    bench.write('events', event(0, 'state.enter', 'a'));
    bench.write('experiment-configs', { name: 'x', states: [shown('film')] });
    bench.write('ratings/continuous', one, other);
    bench.write('ratings/continuous', { ...other, value: 7 });
    bench.write('experiment-configs', { name: 'x', states: [shown('other')] });
    expect(bench.grid('1', 'onset', 'value', 'medium')).toEqual([
      [0, 1, 'other'],
      [250, 1, 'other'],
      [500, 7, 'other'],
    ]);
    bench.remove('ratings/continuous', other);
    expect(bench.grid('1', 'onset')).toEqual([[0]]);
    expect(bench.wrong()).toEqual([]);
  });

  it('does not fill the disk where an onset is wrong', () => {
    const bench = openGrid();
    bench.write('ratings/continuous', rating(0, 1), { ...rating(0, 2), onset: 1e15 });
    expect(bench.rows('ratings_grid', 'count(*) AS n')).toEqual([{ n: 10_002 }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('is made, changed and dropped as the configuration says, and explained while it is there', () => {
    const path = join(temporaryFolder(), 'w.db');
    const first = openBench(path);
    first.write('ratings/continuous', rating(100, 1), rating(300, 2));
    const explained = (bench: typeof first) => [
      bench.rows("_tables WHERE name = 'ratings_grid'").length,
      bench.rows("_data_dictionary WHERE table_name = 'ratings_grid'").length > 0,
    ];
    expect(explained(first)).toEqual([0, false]);
    first.warehouse.close();
    const second = openGrid(path);
    expect(second.grid('1', 'onset')).toEqual([[250], [500]]);
    expect(explained(second)).toEqual([1, true]);
    second.warehouse.db.exec('UPDATE ratings_grid SET value = 0');
    expect(second.wrong()).toEqual([{ table: 'ratings_grid', rows: 2 }]);
    second.warehouse.close();
    const third = openGrid(path, 100);
    expect(third.grid('1', 'onset')).toEqual([[100], [200], [300]]);
    third.warehouse.close();
    const last = openBench(path);
    expect(last.rows("sqlite_schema WHERE name LIKE 'ratings_grid%'", 'name')).toEqual([]);
    expect(explained(last)).toEqual([0, false]);
  });
});
