import { ApiError } from './reply.ts';
import { withoutExperiments, type World } from './world.ts';

/** What organizations share with the one that the key is used for; it may change while the simulator runs. */
export interface Sharing {
  /** The organizations that a request may name; by default any. */
  readonly organizations?: readonly string[];
  /**
   * Experiments of other organizations: listed separately, and available only to requests that name an organization.
   */
  readonly experiments?: readonly string[];
  /** Experiments that are not shared although their deployments are. */
  readonly deploymentsOf?: readonly string[];
  /** Experiments whose data the key may not export. */
  readonly viewOnly?: readonly string[];
}

/** Refuses a request for an organization that does not exist. */
export function requireOrganization({ organizations }: Sharing, organization: string | undefined): void {
  if (organization === undefined || organizations === undefined || organizations.includes(organization)) return;
  throw new ApiError(403, `You are not a member of the organization ${organization}`);
}

/** The experiments that a request can read: none of other organizations unless it names one. */
export function reachable(world: World, { experiments = [] }: Sharing, organization: string | undefined): World {
  return organization === undefined ? withoutExperiments(world, (id) => experiments.includes(id)) : world;
}

/** The world with only the experiments of one list: the organization's own ones, or those shared with it. */
export function listed(world: World, sharing: Sharing, list: 'own' | 'shared'): World {
  const { experiments = [], deploymentsOf = [] } = sharing;
  return withoutExperiments(world, (id) => deploymentsOf.includes(id) || experiments.includes(id) === (list === 'own'));
}

/** Refuses requests for more than a deployment if only deployments are shared. */
export function requireShared({ deploymentsOf = [] }: Sharing, experimentId: string, isOfDeployment: boolean): void {
  if (deploymentsOf.includes(experimentId) && !isOfDeployment)
    throw new ApiError(404, `experiment not found: ${experimentId}`);
}
