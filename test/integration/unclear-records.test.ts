import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { quarantinedRecords } from '../../src/warehouse/quarantine.ts';
import { accountLab } from '../support/accounts.ts';

/** A lab in which the text of each answer about its data type is changed while `change` says how. */
async function textLab(data: string) {
  const fault: { change?: ((text: string) => string) | undefined } = {};
  const it = await accountLab(data, {
    fault: ({ path }) => ({
      kind: 'change',
      change: (reply) =>
        path.startsWith(`/data/${data}/`) ? { ...reply, body: fault.change?.(reply.body) ?? reply.body } : reply,
    }),
  });
  const quarantined = () => quarantinedRecords(it.lab.warehouse.db, data).map(({ record }) => record);
  return { it, fault, quarantined };
}

/** The text with `"note":"n1"` a second time in the record that has it. */
const twice = (text: string) => text.replace('"note":"n1"', '"note":"n1","note":"other"');

describe('a record that names a member twice', () => {
  it.each(['events', 'components', 'participants'])(
    'is kept whole, and its stream incomplete until it is clear (%s)',
    async (data) => {
      const { it, fault, quarantined } = await textLab(data);
      it.arrive(5, (i) => ({ note: `n${i}` }));
      fault.change = twice;
      expect(await it.sync()).toMatchObject({
        status: 'incomplete',
        reason: expect.stringContaining('quarantine') as string,
      });
      const [kept = ''] = quarantined();
      expect(kept).toMatch(/^\{.*"note":"n1","note":"other".*\}$/);
      fault.change = undefined;
      await it.sync({ full: true });
      const { right, truth, held } = it.rows();
      expect({ right, held, kept: quarantined() }).toEqual({ right: truth, held: truth, kept: [] });
    },
  );

  it.each(['events', 'components'])('is not taken for the row that is held, which stays (%s)', async (data) => {
    const { it, fault } = await textLab(data);
    it.arrive(5, (i) => ({ note: `n${i}` }));
    await it.sync();
    fault.change = twice;
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false, deleted: 0 });
    const { right, truth } = it.rows();
    expect(right).toBe(truth);
  });

  it.each(['events', 'components'])(
    'keeps its row beside records that are gone, though its id may be that of one of these (%s)',
    async (data) => {
      const { it, fault } = await textLab(data);
      it.arrive(150, (i) => ({ onset: i, note: `n${i}` }));
      await it.sync();
      const { world } = it.lab.simulator;
      const [identity = 'id'] = datasetNamed(data).identity;
      const isGone = ({ note }: Readonly<Record<string, unknown>>) => note === 'n10' || note === 'n11';
      expect(world.remove(data, it.id, isGone, it.lab.now + 1)).toBe(2);
      fault.change = (text) => text.replace('"note":"n70"', `"note":"n70","${identity}":"new_11","onset":10`);
      for (let times = 0; times < 4; times++) expect(await it.sync()).toMatchObject({ complete: false, deleted: 0 });
      const { right, truth } = it.rows();
      expect(right).toBe(truth);
    },
  );
});

describe('an answer that names its data or its counts twice', () => {
  it.each([
    ['events', 'data', (text: string) => text.replace(/\}$/, ',"data":[]}')],
    ['components', 'metadata', (text: string) => text.replace(/\}$/, ',"metadata":{}}')],
    ['participants', 'total', (text: string) => text.replace('"total":', '"total":0,"total":')],
  ])('is not believed (%s, %s)', async (data, name, change) => {
    const { it, fault } = await textLab(data);
    fault.change = change;
    const { status, error } = await it.sync();
    expect(status).toBe('failed');
    expect(error?.message).toContain(`cannot be read: it names "${name}" twice`);
    expect(it.rows().held).toBe(0);
    fault.change = undefined;
    await it.sync();
    fault.change = change;
    for (let times = 0; times < 2; times++) expect(await it.sync()).toMatchObject({ status: 'failed', deleted: 0 });
  });
});
