import type { ApiFault } from '../../src/simulator/faults.ts';
import { happen, type Happening } from '../../src/simulator/happenings.ts';
import type { SimulatorOptions } from '../../src/simulator/server.ts';
import type { StreamResult } from '../../src/sync/stream.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { readPosition, type Position } from '../../src/warehouse/positions.ts';
import { HOUR, openLab, type Lab } from './lab.ts';
import type { Config } from '../../src/config/schema.ts';

/** One experiment whose faults a test switches, and what its warehouse says of one data type. */
export interface AccountLab {
  readonly lab: Lab;
  readonly id: string;
  /** What the API does wrong; looked at again at every request. */
  readonly faults: ApiFault[];
  /** New records, one second apart, the last of them a minute ago. */
  arrive(count: number, change?: (i: number) => Readonly<Record<string, unknown>>): void;
  happen(happening: Happening): void;
  /** Lets time go on by a quarter of an hour and syncs. */
  sync(options?: { full?: boolean; acceptDeletes?: boolean; after?: number }): Promise<StreamResult>;
  position(): Position;
  /** How many of the records that the API holds are held as they are, and how many rows there are in all. */
  rows(): { right: number; held: number; truth: number };
  /** Rows that were ever deleted or changed. */
  history(what: 'deleted' | 'changed'): number;
}

export async function accountLab(
  data: string,
  options: SimulatorOptions & { config?: Partial<Config>; also?: readonly string[] } = {},
): Promise<AccountLab> {
  const faults: ApiFault[] = [];
  const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 }, ...options, faults });
  lab.now += 20 * HOUR;
  const { world } = lab.simulator;
  const [id = ''] = world.experimentIds;
  const selection = { data: [data, ...(options.also ?? [])] };
  const stream = { experimentId: id, dataset: datasetNamed(data), scope: { kind: 'experiment' as const } };
  let arrivals = 0;
  return {
    lab,
    id,
    faults,
    arrive(count, change = () => ({})) {
      const [sample = {}] = world.records(data, id, lab.now);
      const [identity = 'id'] = stream.dataset.identity;
      const { timeField = 'timestamp' } = stream.dataset;
      for (let i = 0; i < count; i++) {
        const time = new Date(lab.now - 60_000 - (count - 1 - i) * 1000).toISOString();
        const record = { ...sample, [identity]: `new_${++arrivals}`, [timeField]: time, ...change(i) };
        world.insert(data, id, record, lab.now);
      }
    },
    happen: (happening) => void happen(world, id, happening),
    async sync({ full = false, acceptDeletes = false, after = HOUR / 4 } = {}) {
      lab.now += after;
      const { streams } = await lab.sync({ selection, full, acceptDeletes });
      const found = streams.find((result) => result.data === data && result.room === undefined);
      if (found === undefined) throw new Error(`${data} was not synced`);
      return found;
    },
    position: () => readPosition(lab.warehouse.db, stream),
    rows() {
      const truth = lab.truth(data, id);
      const held = lab.mirrored(data, id);
      const rest = [...held];
      const right = truth.filter((record) => {
        const place = rest.indexOf(record);
        if (place >= 0) rest.splice(place, 1);
        return place >= 0;
      });
      return { right: right.length, held: held.length, truth: truth.length };
    },
    history: (what) =>
      lab.warehouse.db.prepare<[string], number>('SELECT count(*) FROM _history WHERE what = ?').pluck().get(what) ?? 0,
  };
}
