import { describe, expect, it } from 'vitest';
import { schemaChangesAfter } from '../../src/warehouse/schema-changes.ts';
import { HOUR, openLab, type Lab } from '../support/lab.ts';

const FREEZE = { schema: 'freeze' } as const;

/** A lab whose experiments were read once. */
async function read(experiments = 1): Promise<Lab> {
  const lab = await openLab({ world: { experiments, roomsPerExperiment: 1 } });
  await lab.sync();
  return lab;
}

/** The server gets another event, as one of those it has, with something more. */
function happen(lab: Lab, more: Readonly<Record<string, unknown>>): string {
  const [experimentId = ''] = lab.simulator.world.experimentIds;
  const [known = {}] = lab.simulator.world.records('events', experimentId, lab.now);
  lab.now += HOUR;
  const id = `evt_at_${lab.now}`;
  const record = { ...known, id, timestamp: new Date(lab.now - 60_000).toISOString(), ...more };
  lab.simulator.world.insert('events', experimentId, record, lab.now - 1000);
  return experimentId;
}

const eventsOf = (lab: Lab, result: Awaited<ReturnType<Lab['sync']>>) =>
  result.streams.find(
    ({ data, experiment }) => data === 'events' && experiment === lab.simulator.world.experimentIds[0],
  );

const changesOf = (lab: Lab) =>
  schemaChangesAfter(lab.warehouse.db, 0).map(({ data, field, change }) => ({ data, field, change }));

describe('a new field', () => {
  it('is not listed by a first sync of the published answers', async () => {
    const lab = await read(3);
    expect(changesOf(lab)).toEqual([]);
  });

  it('is listed by the sync that brings it, which is complete', async () => {
    const lab = await read();
    const experimentId = happen(lab, { stimulusMeta: { name: 'clip' } });
    expect((await lab.sync()).status).toBe('ok');
    expect(changesOf(lab)).toEqual([{ data: 'events', field: 'stimulusMeta', change: 'new field' }]);
    expect(lab.mirrored('events', experimentId)).toEqual(lab.truth('events', experimentId));
    expect(lab.warehouse.db.prepare('SELECT count(stimulus_meta) FROM events_all').pluck().get()).toBe(1);
  });
});

describe('with schema: freeze, a new field', () => {
  it('makes its stream incomplete, and keeps the record', async () => {
    const lab = await read();
    const experimentId = happen(lab, { stimulusMeta: { name: 'clip' } });
    const result = await lab.sync({ config: FREEZE });
    expect(result.status).toBe('partial');
    expect(eventsOf(lab, result)).toMatchObject({ status: 'incomplete', complete: false, inserted: 1 });
    expect(result.streams.filter(({ status }) => status === 'incomplete')).toHaveLength(1);
    expect(lab.mirrored('events', experimentId)).toEqual(lab.truth('events', experimentId));
  });

  it('costs no more requests until it is accepted', async () => {
    const lab = await read();
    happen(lab, { stimulusMeta: 1 });
    const first = await lab.sync({ config: FREEZE });
    happen(lab, {});
    const second = await lab.sync({ config: FREEZE });
    expect(eventsOf(lab, second)).toMatchObject({ status: 'incomplete', requests: 0, inserted: 0 });
    expect(eventsOf(lab, second)?.watermark).toBe(eventsOf(lab, first)?.watermark);
  });

  it.each([
    ['is accepted by hand', { config: FREEZE, acceptSchema: true }],
    ['is accepted by the configuration', {}],
  ])('that %s lets the stream continue from where it stopped', async (_how, accepting) => {
    const lab = await read();
    happen(lab, { stimulusMeta: 1 });
    await lab.sync({ config: FREEZE });
    const experimentId = happen(lab, {});
    const result = await lab.sync(accepting);
    expect(eventsOf(lab, result)).toMatchObject({ status: 'ok', complete: true, inserted: 1 });
    expect(lab.mirrored('events', experimentId)).toEqual(lab.truth('events', experimentId));
    happen(lab, { stimulusMeta: 2 });
    expect((await lab.sync({ config: FREEZE })).status).toBe('ok');
  });

  it('that comes while another one is accepted stops the stream again', async () => {
    const lab = await read();
    happen(lab, { stimulusMeta: 1 });
    await lab.sync({ config: FREEZE });
    happen(lab, { another: 1 });
    const result = await lab.sync({ config: FREEZE, acceptSchema: true });
    expect(eventsOf(lab, result)).toMatchObject({ status: 'incomplete' });
    expect(eventsOf(lab, result)?.reason).toContain('a new field another (number)');
    expect(eventsOf(lab, result)?.reason).not.toContain('stimulusMeta');
  });

  it('in the first read of a second experiment stops that one only', async () => {
    const lab = await openLab({ world: { experiments: 2, roomsPerExperiment: 1 } });
    const [one = '', two = ''] = lab.simulator.world.experimentIds;
    await lab.sync({ selection: { experiments: [one] } });
    lab.simulator.world.edit(
      'chat',
      two,
      () => true,
      (record) => ({ ...record, mood: 'calm' }),
      lab.now,
    );
    const result = await lab.sync({ config: FREEZE });
    const stopped = result.streams.filter(({ status }) => status === 'incomplete');
    expect(stopped).toMatchObject([{ data: 'chat', experiment: two }]);
    const again = await lab.sync({ config: FREEZE, acceptSchema: true });
    expect(again.status).toBe('ok');
    expect(lab.mirrored('chat', two)).toEqual(lab.truth('chat', two));
  });
});
