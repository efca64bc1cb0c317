import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { openRecording, recorded } from '../../../src/sync/recording.ts';
import { fakeStream } from '../../support/fake-stream.ts';

function recording() {
  const fake = fakeStream('chat');
  const run = openRecording(fake.context, { kind: 'sync now' });
  const rows = () => fake.warehouse.db.prepare<[], Record<string, unknown>>('SELECT * FROM _runs').all();
  return { fake, run, row: () => rows().at(-1) ?? {} };
}
const REQUEST = { path: '/data/chat/experiment/exp_1', endpoint: 'chat', what: 'chat' };

describe('a run that is recorded', () => {
  it('has no outcome until it ends', () => {
    const { run, row } = recording();
    expect(row()).toMatchObject({ kind: 'sync now', outcome: null, ended_at: null });
    run.end(true);
    expect(row()).toMatchObject({ outcome: 'complete', requests: 0, readings: 0 });
  });

  it('counts the requests of its own context only, retries included, and passes them on', async () => {
    const { fake, run, row } = recording();
    let tries = 0;
    const { client } = run.within(fake.context);
    await client.get({ ...REQUEST, onTry: () => tries++ });
    await fake.context.client.get(REQUEST);
    run.end(true);
    expect([row()['requests'], tries, client.tries]).toEqual([1, 1, 2]);
  });

  it('is incomplete as long as the last reading of a stream was', () => {
    const { fake, run, row } = recording();
    const other = { ...fake.stream, dataset: datasetNamed('events') };
    run.note(fake.stream, false);
    run.note(other, false);
    run.note(fake.stream, true);
    run.end(true);
    expect(row()).toMatchObject({ outcome: 'incomplete', readings: 3, incomplete_streams: 1 });
  });

  it('is incomplete if something other than the streams was not fine', async () => {
    const { fake, row } = recording();
    await recorded(
      fake.context,
      { kind: 'verify --repair' },
      () => Promise.resolve('different'),
      () => false,
    );
    expect(row()).toMatchObject({ kind: 'verify --repair', outcome: 'incomplete' });
  });

  it.each([
    ['interrupted', 'stopped by a signal', new WarehouseError('INTERRUPTED', 'stopped by a signal')],
    ['failed', 'the key was refused', new WarehouseError('KEY_REFUSED', 'the key was refused')],
    ['failed', 'Internal error (a bug in hyperstudy-warehouse).', new TypeError('x of undefined')],
  ])('is %s by an error, which it names as “%s” and throws', async (outcome, text, error) => {
    const { fake, row } = recording();
    const run = recorded(
      fake.context,
      { kind: 'verify --repair' },
      () => Promise.reject(error),
      () => true,
    );
    await expect(run).rejects.toBe(error);
    expect(row()).toMatchObject({ outcome, error: text });
  });
});
