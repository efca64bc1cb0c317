import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Scope, Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { JsonObject } from '../../../src/shared/json.ts';
import { formatTime } from '../../../src/shared/time.ts';
import { compareRows } from '../../../src/warehouse/records.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const dataset = datasetNamed('ratings/continuous');
const START = Date.parse('2026-01-12T09:00:00.000Z');
const ROWS = 40;

/** A rating in every other place of its experiment is in the same room. */
const rating = (i: number, said: JsonObject = {}): JsonObject => ({
  ratingId: `r${i}`,
  roomId: `room_${i % 2}`,
  timestamp: formatTime(START + i * 100),
  value: i,
  ...said,
});
const ratings = Array.from({ length: ROWS }, (_, i) => rating(i));
const streamOf = (experimentId: string, scope: Scope = { kind: 'experiment' }): Stream => ({
  experimentId,
  dataset,
  scope,
});
const rowsOf = (records: readonly JsonObject[]) =>
  records.map((record) => {
    const row = normalise(dataset, record, { experimentId: 'e' });
    if ('reason' in row) throw new Error(row.reason);
    return row;
  });

const WITHOUT_TIME = rating(ROWS, { timestamp: null });

/** Compares with a warehouse that holds the ratings, and in another experiment their keys and times with other values. */
function openCompare() {
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });
  onTestFinished(() => warehouse.close());
  warehouse.commit(streamOf('e'), { rows: rowsOf([...ratings, WITHOUT_TIME]) });
  warehouse.commit(streamOf('x'), { rows: rowsOf(ratings.map((one) => ({ ...one, value: -1 }))) });
  return (records: readonly JsonObject[], stream = streamOf('e')) => compareRows(warehouse.db, stream, rowsOf(records));
}

const NO_DIFFERENCE = { missing: [], changed: [] };

describe('rows that are compared with those held', () => {
  it('count as equal, whatever part of the table they are and in whatever order they come', () => {
    const compare = openCompare();
    const some = [
      ratings,
      ratings.slice(5, 6),
      ratings.slice(5, 9),
      ratings.filter((_, i) => [0, 13, 39].includes(i)),
      ratings.toReversed(),
      [WITHOUT_TIME],
      [...ratings, WITHOUT_TIME],
      [],
    ];
    expect(some.map((records) => compare(records))).toEqual(some.map(() => NO_DIFFERENCE));
    expect(compare(ratings, streamOf('x')).changed).toHaveLength(ROWS);
  });

  it('count as missing, or as changed with the columns that differ, among few and many others', () => {
    const compare = openCompare();
    const differing = [
      rating(0, { value: 7, scaleMax: 1 }),
      rating(1, { timestamp: formatTime(START + 10 * ROWS * 100) }),
      rating(2, { timestamp: null, note: 'x' }),
      rating(ROWS, { timestamp: formatTime(START) }),
      rating(ROWS + 1, { timestamp: formatTime(START) }),
      rating(ROWS + 2, { timestamp: null }),
    ];
    for (const others of [0, 4, ROWS - 3])
      expect(compare([...ratings.slice(3, 3 + others), ...differing])).toEqual({
        missing: ['room_1/r41', 'room_0/r42'],
        changed: [
          { key: 'room_0/r0', columns: ['value', 'scale_max'] },
          { key: 'room_1/r1', columns: ['timestamp'] },
          { key: 'room_0/r2', columns: ['timestamp', 'extra'] },
          { key: 'room_0/r40', columns: ['timestamp', 'extra'] },
        ],
      });
  });

  it('are found in their own room, and in another one that holds them', () => {
    const compare = openCompare();
    const stream = streamOf('e', { kind: 'room', id: 'room_1' });
    const own = ratings.filter(({ roomId }) => roomId === 'room_1');
    expect([compare(own, stream), compare(own), compare(own.slice(3, 5))]).toEqual([1, 2, 3].map(() => NO_DIFFERENCE));
    expect(compare([...own, rating(0, { value: 9 })], stream)).toEqual({
      missing: [],
      changed: [{ key: 'room_0/r0', columns: ['value'] }],
    });
  });
});
