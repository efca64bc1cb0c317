import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { createSeen } from '../../../src/warehouse/seen.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const open = () => openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });

/** Files that this process has open though they have no name any more. */
function unnamedFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.endsWith(' (deleted)') ? [target] : [];
    } catch {
      return [];
    }
  });
}

describe('the keys that a reading has seen', () => {
  it.runIf(process.platform === 'linux')(
    'are on the disk where they are many, so that memory does not grow with them',
    () => {
      const warehouse = open();
      const before = unnamedFiles().length;
      // Less memory, so that fewer keys will do.
      warehouse.db.pragma('scratch.cache_size = -1000');
      const seen = createSeen(warehouse.db);
      for (let page = 0; page < 100; page++)
        seen.add(Array.from({ length: 1000 }, (_, i) => `room_1/rating_${(page * 1000 + i) * 7919}`));
      expect(seen.count()).toBe(100_000);
      expect(unnamedFiles().length).toBeGreaterThan(before);
      warehouse.close();
    },
  );

  it('are kept apart by reading, and count once', () => {
    const warehouse = open();
    const [one, other] = [createSeen(warehouse.db), createSeen(warehouse.db)];
    one.add(['a', 'b', 'a']);
    one.add(['b']);
    other.add(['c']);
    expect([one.count(), other.count(), one.has('c'), other.has('c')]).toEqual([2, 1, false, true]);
    other.addAll(one);
    one.drop();
    expect([one.count(), other.count(), one.has('a'), other.has('a')]).toEqual([0, 3, false, true]);
    warehouse.close();
  });

  it.each([1, 1000])('are told apart whatever is in them, %i at a time', (batch) => {
    const warehouse = open();
    const seen = createSeen(warehouse.db, batch);
    const odd = ['"', '\\', '\\u0000', '😀', '\u2028', 'null', '1', 'number:1', '01', '', ' a', 'a '];
    seen.add(odd);
    expect([seen.count(), odd.filter((key) => !seen.has(key) || !seen.hasAny([key]))]).toEqual([odd.length, []]);
    expect(seen.hasAny(['a', '1 ', 'Null', '\\"', '😁', '\ufffd'])).toBe(false);
    warehouse.close();
  });

  it.each([1, 3, 1000])('are the same whether they wait in memory or not, %i at a time', (batch) => {
    const warehouse = open();
    const [seen, other] = [createSeen(warehouse.db, batch), createSeen(warehouse.db, batch)];
    seen.add(['é', 'b', 'a']);
    seen.add(['b', 'c']);
    expect(['a', 'b', 'c', 'é', 'd'].map((key) => seen.has(key))).toEqual([true, true, true, true, false]);
    expect([['d', 'é'], ['x', 'c', 'd'], ['d', 'B', 'a%'], []].map((keys) => seen.hasAny(keys))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    other.add(['d', 'a']);
    expect(seen.hasAny(['d'])).toBe(false);
    seen.addAll(other);
    expect([seen.count(), other.count(), seen.has('d')]).toEqual([5, 2, true]);
    seen.drop();
    expect([seen.count(), seen.has('a'), other.has('a')]).toEqual([0, false, true]);
    warehouse.close();
  });

  it('stay while an index is built beside them, and so does the history of what changes', () => {
    const warehouse = open();
    const stream = {
      experimentId: 'e',
      dataset: datasetNamed('ratings/continuous'),
      scope: { kind: 'experiment' },
    } as const;
    const seen = createSeen(warehouse.db);
    seen.add(['a']);
    const row = normalise(stream.dataset, { ratingId: 'a', value: 1 }, { experimentId: 'e' });
    if ('reason' in row) throw new Error(row.reason);
    warehouse.commit(stream, { rows: [row], position: { backfilled: true } });
    warehouse.tendForReaders();
    const indexes = warehouse.db.prepare("SELECT name FROM sqlite_schema WHERE type = 'index'").pluck().all();
    expect(indexes).toContain('ratings_continuous_by_experiment_participant_component_onset_value');
    expect(seen.has('a')).toBe(true);
    const triggers = warehouse.db.prepare("SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'").pluck().all();
    expect(triggers).toContain('keep_changed_ratings_continuous');
    warehouse.close();
  });
});
