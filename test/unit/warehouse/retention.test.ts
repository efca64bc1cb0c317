import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { DAY_MS } from '../../../src/shared/time.ts';
import type { History } from '../../../src/warehouse/retention.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');

/** A warehouse in which one message is edited each day. */
function edited(history: History, days: number) {
  let now = START;
  const path = join(temporaryFolder(), 'w.db');
  const clock = { now: () => now, uptime: () => now, bootId: 'test', sleep: () => Promise.resolve() };
  const warehouse = openWarehouse(path, { clock, history });
  onTestFinished(() => warehouse.close());
  const dataset = datasetNamed('chat');
  for (let day = 0; day < days; day++) {
    now = START + day * DAY_MS;
    const row = normalise(dataset, { messageId: 'm', content: `day ${day}` }, { experimentId: 'e' });
    if ('reason' in row) throw new Error(row.reason);
    warehouse.commit({ experimentId: 'e', dataset, scope: { kind: 'experiment' } }, { rows: [row] });
    warehouse.tendForReaders();
  }
  const kept = () =>
    warehouse.db.prepare<[], string>("SELECT record ->> 'content' FROM _history ORDER BY id").pluck().all();
  return { path, warehouse, kept, wait: (ms: number) => (now += ms) };
}

describe('earlier versions of rows', () => {
  it.each<[string, History, number]>([
    ['for good', true, 19],
    ['not at all', false, 0],
    ['for ten days', { keep: 10 * DAY_MS }, 11],
  ])('are kept %s', (_how, history, expected) => {
    const { kept } = edited(history, 20);
    expect(kept()).toHaveLength(expected);
    if (expected > 0) expect(kept().at(-1)).toBe('day 18');
  });

  it('are deleted once a day at most, together with backups of migrations of the same age', () => {
    const { path, warehouse, kept, wait } = edited({ keep: 10 * DAY_MS }, 20);
    const [old, recent] = [`${path}.before-0001`, `${path}.before-0002`];
    for (const [file, days] of [
      [old, 5],
      [recent, 15],
    ] as const) {
      writeFileSync(file, '');
      utimesSync(file, new Date(), new Date(START + days * DAY_MS));
    }
    const before = kept();
    wait(DAY_MS / 2);
    warehouse.tendForReaders();
    expect([kept(), existsSync(old)]).toEqual([before, true]);
    wait(DAY_MS / 2);
    warehouse.tendForReaders();
    expect([kept().length, existsSync(old), existsSync(recent)]).toEqual([before.length - 1, false, true]);
  });
});
