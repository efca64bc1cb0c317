import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { Stream } from '../datasets/stream.ts';
import { stopsEverything, WarehouseError } from '../shared/errors.ts';
import { isObject, type Json } from '../shared/json.ts';
import { listShared } from '../sync/shares.ts';

/** An experiment, or a deployment of one, that is available to the key. */
export type Given = Pick<Stream, 'experimentId' | 'scope'>;

/**
 * An experiment or deployment to try the key on: the one that the configuration names, else the first listed or shared.
 */
export async function findGiven(
  client: Client,
  { experiments }: Pick<Config, 'experiments'>,
  listed: readonly Json[],
  signal: AbortSignal,
): Promise<Given | undefined> {
  const named = experiments.find((experiment) => 'id' in experiment)?.id;
  const id = named ?? idIn(listed) ?? idIn((await listShared(client, 'experiments', signal))?.listed ?? []);
  if (id !== undefined) return { experimentId: id, scope: { kind: 'experiment' } };
  const deployments = (await listShared(client, 'deployments', signal))?.listed ?? [];
  const given = deployments.flatMap(({ id: deployment, experimentId }): Given[] =>
    typeof experimentId === 'string' ? [{ experimentId, scope: { kind: 'deployment', id: deployment } }] : [],
  );
  return given[0];
}

function idIn(records: readonly Json[]): string | undefined {
  const id = records.find(isObject)?.['id'];
  return typeof id === 'string' ? id : undefined;
}

/** The key's rights to an experiment, as HyperStudy reports them; undefined if it does not. */
export async function rightsTo(
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<{ ok: boolean; text: string } | undefined> {
  const path = `/data/check-access/experiment/${encodeURIComponent(id)}`;
  const asked = { path, endpoint: 'check-access', what: `the access to ${id}`, signal };
  const [rights] = await client.get(asked).then(
    ({ data }) => data,
    (error: unknown) => {
      if (!(error instanceof WarehouseError) || stopsEverything(error.code) || error.code === 'RATE_LIMITED')
        throw error;
      return [];
    },
  );
  if (rights === undefined || !isObject(rights)) return undefined;
  if (rights['canView'] === false)
    return { ok: false, text: `The key may not see ${id}. Ask its owner to share it, or remove it from the config.` };
  if (rights['canExport'] === false)
    return {
      ok: false,
      text: `The key may see ${id}, but not export its data, so HyperStudy may refuse to send them. Ask its owner for the right to export.`,
    };
  return { ok: true, text: `the key may see and export ${id}` };
}
