import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { PlannedExperiment, Selection } from '../plan/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json.ts';

/** The configured experiments; where the configuration says `all`, every one that the key sees. */
export async function findExperiments(
  client: Client,
  config: Config,
  selection: Selection,
  signal?: AbortSignal,
): Promise<PlannedExperiment[]> {
  const named = new Map<string, PlannedExperiment>();
  for (const experiment of config.experiments) if ('id' in experiment) named.set(experiment.id, experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  if (all !== undefined) {
    for (const { id } of await listExperiments(client, signal)) {
      if (!named.has(id)) named.set(id, { id, data: all.data });
    }
  }
  const wanted = selection.experiments;
  const unknown = wanted?.filter((id) => !named.has(id)) ?? [];
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The configuration does not name the experiment ${unknown.join(', ')}.`, {
      hint: `It names: ${[...named.keys()].join(', ')}.`,
    });
  }
  return [...named.values()].filter(({ id }) => wanted === undefined || wanted.includes(id));
}

/** The documented page size of `GET /experiments` (HyperStudy API overview). */
const EXPERIMENTS_PAGE = 50;

/** Every experiment that the key sees, as `GET /experiments` describes it. */
export async function listExperiments(
  client: Client,
  signal?: AbortSignal,
  priority?: number,
): Promise<(JsonObject & { id: string })[]> {
  const found = new Map<string, JsonObject & { id: string }>();
  for (let offset = 0; ;) {
    const answer = await client.get({
      path: '/experiments',
      query: { limit: EXPERIMENTS_PAGE, offset },
      endpoint: 'experiments',
      what: 'the list of experiments',
      ...(priority === undefined ? {} : { priority }),
      ...(signal === undefined ? {} : { signal }),
    });
    const before = found.size;
    for (const record of answer.data) {
      if (isObject(record) && typeof record['id'] === 'string')
        found.set(record['id'], { ...record, id: record['id'] });
    }
    offset += answer.data.length;
    const hasMore = answer.pagination?.hasMore ?? answer.data.length > 0;
    if (!hasMore || found.size === before) return [...found.values()];
  }
}
