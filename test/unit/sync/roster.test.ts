import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { configuredExperiments, currentPositions, enrol, type Wanted } from '../../../src/sync/roster.ts';
import type { PositionChange } from '../../../src/warehouse/positions.ts';
import { at, fakeStream } from '../../support/fake-stream.ts';

const ROOM: Stream['scope'] = { kind: 'room', id: 'room_1' };

/** A warehouse with streams as syncs left them, and what `enrol` makes of those. */
function roster(...read: readonly [data: string, position?: PositionChange, scope?: Stream['scope']][]) {
  const fake = fakeStream('experiments');
  const { db, path } = fake.warehouse;
  for (const [data, position, scope] of read)
    fake.warehouse.commit(
      { experimentId: 'exp_1', dataset: datasetNamed(data), scope: scope ?? { kind: 'experiment' } },
      { rows: [], position: { backfilled: true, doubts: [], dataAsOf: at(0), lastSyncAt: at(0), ...position } },
    );
  const state = (wanted: Wanted) =>
    currentPositions(db, wanted).map(({ data, scope, doubts, finished }) => ({
      stream: scope === 'experiment' ? data : `${data} ${scope}`,
      kinds: doubts.map(({ kind }) => kind),
      text: doubts[0]?.text,
      finished,
    }));
  return { fake, db, state, enrol: (wanted: Wanted) => enrol({ db, path }, wanted) };
}

/** The experiment with these data types, or nothing of it. */
const wanted = (data: readonly string[], gone: readonly string[] = []): Wanted => ({
  config: { data: data.map((name) => datasetNamed(name).name), options: {} },
  experiments: gone.includes('exp_1') ? [] : [{ id: 'exp_1' }],
  gone,
});

describe('the streams that are configured', () => {
  it('are known before they were read', () => {
    const { state, enrol: note } = roster();
    note(wanted(['events', 'chat']));
    expect(state(wanted(['events', 'chat'])).map(({ stream, kinds }) => [stream, kinds])).toEqual([
      ['chat', ['unread']],
      ['events', ['unread']],
    ]);
  });

  it('leave no trace if they were never read and are configured no more', () => {
    const { state, enrol: note } = roster();
    note(wanted(['events', 'chat']));
    note(wanted(['events']));
    expect(state(wanted(['events'])).map(({ stream }) => stream)).toEqual(['events']);
  });

  it('are shown as they would be written, and nothing is written', () => {
    const { db, state, enrol: note } = roster(['chat']);
    const written = () => db.prepare('SELECT data, doubts FROM _streams ORDER BY 1').all();
    const before = written();
    const shown = state(wanted(['events']));
    expect(written()).toEqual(before);
    note(wanted(['events']));
    expect(state(wanted(['events']))).toEqual(shown);
    expect(written()).not.toEqual(before);
  });
});

describe('a stream that was read', () => {
  it.each<[string, Wanted, string, string]>([
    [
      'is unconfigured if the configuration leaves it out',
      wanted(['events']),
      'unconfigured',
      'it is no longer configured; the rows are as of 2026-01-12 09:00 UTC',
    ],
    [
      'is gone if its experiment left the list',
      wanted(['chat'], ['exp_1']),
      'gone',
      'exp_1 is no longer in the list of experiments that the key can see: deleted, or no longer shared; its rows are kept as of 2026-01-12 09:00 UTC',
    ],
  ])('%s', (_what, now, kind, text) => {
    const { state } = roster(['chat']);
    expect(state(now).find(({ stream }) => stream === 'chat')).toMatchObject({ kinds: [kind], text });
  });

  it('is gone, and not unconfigured, if its room is no longer listed', () => {
    const { state } = roster(['variables', {}, ROOM]);
    expect(state(wanted(['variables']))).toMatchObject([
      { kinds: ['gone'], text: expect.stringContaining('room room_1') as string },
    ]);
    expect(state(wanted(['events'])).map(({ kinds }) => kinds)).toEqual([['unread'], ['unconfigured']]);
  });

  it('keeps what else is in doubt, and says only one thing of why it is not read any more', () => {
    const { state, enrol: note } = roster(['chat', { doubts: [{ kind: 'lacking', text: 'two lack', count: 2 }] }]);
    note(wanted(['events']));
    note(wanted(['events']));
    expect(state(wanted(['events']))[0]?.kinds.toSorted()).toEqual(['lacking', 'unconfigured']);
    expect(state(wanted(['events'], ['exp_1']))[0]?.kinds.toSorted()).toEqual(['gone', 'lacking']);
  });

  it('waits for its next read once it is configured again, although its room was finished', () => {
    const { fake, state, enrol: note } = roster(['variables', { finished: true }, ROOM]);
    note(wanted(['events']));
    fake.listRooms({ room_1: {} });
    note(wanted(['variables']));
    expect(state(wanted(['variables'])).find(({ stream }) => stream === 'variables room:room_1')).toMatchObject({
      kinds: ['unread'],
      finished: false,
    });
  });

  it('stays gone if the API itself answered that it is, until it is read', () => {
    const { state } = roster(['chat', { doubts: [{ kind: 'gone', text: 'HTTP 404' }] }]);
    expect(state(wanted(['chat']))).toMatchObject([{ kinds: ['gone'], text: 'HTTP 404' }]);
  });
});

describe('the configured experiments', () => {
  const config = (experiments: Parameters<typeof configuredExperiments>[1]['experiments']) => ({
    ...wanted([]).config,
    experiments,
  });

  it('are those that the configuration names, whatever the warehouse knows', () => {
    const { db } = roster(['chat']);
    expect(configuredExperiments(db, config([{ id: 'exp_9' }]))).toMatchObject({ experiments: [{ id: 'exp_9' }] });
  });

  it('are with `all` those that the warehouse knows as well, except those that are gone', () => {
    const { db, fake } = roster(['chat']);
    const gone: Stream = { ...fake.stream, experimentId: 'exp_2' };
    fake.warehouse.commit(gone, { rows: [], position: { doubts: [{ kind: 'gone', text: 'no longer listed' }] } });
    const { experiments, gone: left } = configuredExperiments(db, config([{ all: true }, { id: 'exp_9' }]));
    expect([experiments.map(({ id }) => id), left]).toEqual([['exp_9', 'exp_1'], ['exp_2']]);
  });
});
