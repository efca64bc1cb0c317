import { describe, expect, it } from 'vitest';
import { createDailyRun } from '../../../src/daemon/daily-run.ts';
import type { ReadContext } from '../../../src/daemon/read-context.ts';
import { syncStream } from '../../../src/sync/stream.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { DAY_MS } from '../../../src/shared/time.ts';
import { fakeStream } from '../../support/fake-stream.ts';

function daily() {
  const fake = fakeStream('chat');
  fake.api.records = fake.series(1, 3);
  const run = createDailyRun(fake.context);
  const read = (context: ReadContext) => syncStream({ ...context, full: false }, fake.stream);
  return {
    fake,
    run,
    poll: () => run.read(fake.context, fake.stream, read),
    rows: () => fake.warehouse.db.prepare<[], Record<string, unknown>>('SELECT * FROM _runs').all(),
    read,
  };
}

describe('what the daemon reads by schedule', () => {
  it('is one run a day, however often it reads', async () => {
    const { fake, run, poll, rows } = daily();
    for (let i = 0; i < 5; i++) await poll();
    expect(rows()).toMatchObject([{ kind: 'daemon', inserted: 3, outcome: null, ended_at: null }]);
    fake.now += DAY_MS;
    await poll();
    run.end();
    expect(rows()).toMatchObject([
      { readings: 5, outcome: 'complete' },
      { readings: 1, inserted: 0, outcome: 'complete' },
    ]);
  });

  it('belongs to the day on which its reading began', async () => {
    const { fake, run, poll, rows, read } = daily();
    const { promise: held, resolve: goOn } = Promise.withResolvers<undefined>();
    const slow = run.read(fake.context, fake.stream, async (context) => {
      await held;
      return read(context);
    });
    fake.now += DAY_MS;
    const before = fake.api.records;
    fake.api.records = [];
    await poll();
    fake.api.records = before;
    expect(rows()).toMatchObject([{ outcome: null }, { outcome: null }]);
    goOn(undefined);
    await slow;
    expect(rows()).toMatchObject([
      { outcome: 'complete', inserted: 3 },
      { outcome: null, inserted: 0 },
    ]);
    run.end();
  });

  it('is incomplete where the last reading of a stream was', async () => {
    const { fake, run, poll, rows } = daily();
    fake.api.change = () => {
      throw new WarehouseError('PARAMETER_REFUSED', 'no');
    };
    await poll();
    run.end();
    expect(rows()).toMatchObject([{ outcome: 'incomplete', incomplete_streams: 1 }]);
  });
});
