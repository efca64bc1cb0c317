import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { PlannedExperiment, Selection } from '../plan/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';
import type { Db } from '../warehouse/open.ts';
import { knownExperiments } from '../warehouse/structure.ts';

/** What finding the configured experiments takes. */
export interface Finding {
  readonly client: Client;
  readonly config: Pick<Config, 'experiments'>;
  readonly warehouse: { readonly db: Db };
  readonly selection: Selection;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: Priority | undefined;
}

/**
 * The configured experiments; where the configuration says `all`, every one that the key sees and, when the API warns
 * that its list lacks some, those that the warehouse knows.
 */
export async function findExperiments(finding: Finding): Promise<PlannedExperiment[]> {
  const { client, config, warehouse, selection, signal, priority } = finding;
  const named = new Map<string, PlannedExperiment>();
  for (const experiment of config.experiments) if ('id' in experiment) named.set(experiment.id, experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  const wanted = selection.experiments;
  if (all !== undefined) {
    const { listed, isWhole } = await listExperiments(client, signal, priority);
    const others = isWhole ? [] : [...knownExperiments(warehouse.db), ...(wanted ?? [])];
    for (const id of [...listed.map((experiment) => experiment.id), ...others]) {
      if (!named.has(id)) named.set(id, { id, data: all.data });
    }
  }
  const unknown = wanted?.filter((id) => !named.has(id)) ?? [];
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The configuration does not name the experiment ${unknown.join(', ')}.`, {
      hint: `It names: ${[...named.keys()].join(', ')}.`,
    });
  }
  return [...named.values()].filter(({ id }) => wanted === undefined || wanted.includes(id));
}

/** The documented page size of `GET /experiments` (HyperStudy API overview). */
export const EXPERIMENTS_PAGE = 50;

/** Every experiment that the key sees, as `GET /experiments` describes it, unless the API warns that some are missing. */
export async function listExperiments(
  client: Client,
  signal?: AbortSignal,
  priority?: Priority,
): Promise<{ listed: (JsonObject & { id: string })[]; isWhole: boolean }> {
  const found = new Map<string, JsonObject & { id: string }>();
  let isWhole = true;
  for (let offset = 0; ;) {
    const answer = await client.get({
      path: '/experiments',
      query: { limit: EXPERIMENTS_PAGE, offset },
      endpoint: 'experiments',
      what: 'the list of experiments',
      ...(priority === undefined ? {} : { priority }),
      ...(signal === undefined ? {} : { signal }),
    });
    isWhole &&= answer.warnings.length === 0 && !answer.truncated;
    const before = found.size;
    for (const record of answer.data) {
      if (isObject(record) && typeof record['id'] === 'string')
        found.set(record['id'], { ...record, id: record['id'] });
    }
    offset += answer.data.length;
    const hasMore = answer.pagination?.hasMore ?? answer.data.length > 0;
    if (!hasMore || found.size === before) return { listed: [...found.values()], isWhole };
  }
}
