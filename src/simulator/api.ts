import { createMeter, type Limits, type SimKey } from './access.ts';
import { data, requireScope } from './data.ts';
import { description } from './description.ts';
import { createFaults, type ApiFault, type Faults } from './faults.ts';
import { listing } from './listing.ts';
import { createRandom } from './random.ts';
import { ORDINARY, type Readings } from './readings.ts';
import { ApiError, errorReply, jsonReply, type SimReply, type SimRequest } from './reply.ts';
import { listed, reachable, requireOrganization, requireShared, type Sharing } from './sharing.ts';
import { deployments, experiments } from './structure.ts';
import type { SimRecord } from './life.ts';
import { withoutExperiments, type World } from './world.ts';

export interface ApiOptions {
  readonly world: World;
  readonly keys: readonly SimKey[];
  readonly limits: Limits;
  readonly readings?: Partial<Readings>;
  readonly sharing?: Sharing;
  /** What the API does wrong; the list may change while the simulator runs. */
  readonly faults?: readonly ApiFault[];
}

/**
 * Answers a request at `now`, by the server's clock (ms since 1970 UTC).
 * @param meterNow the time by which limits count, if the server's clock is set by hand.
 */
export type Handler = (request: SimRequest, now: number, meterNow?: number) => SimReply;

/** The HyperStudy API as a pure function of a world, its keys and limits, and the active readings and faults. */
export function createApi(options: ApiOptions): Handler {
  const readings = { ...ORDINARY, ...options.readings };
  const sharing = options.sharing ?? {};
  const meter = createMeter(options.limits, readings);
  const random = createRandom(4711);
  const faults = createFaults(options.faults ?? [], createRandom(4712));

  const route = (request: SimRequest, key: SimKey, now: number): SimReply => {
    const steps = stepsOf(request.path);
    const organization = request.headers['x-organization-id'];
    requireOrganization(sharing, organization);
    const world = reachable(withoutGone(options.world, faults, now), sharing, organization);
    const list = (dataType: string, scope: string, id: string, records: readonly SimRecord[], extra: SimRecord = {}) =>
      listing({
        dataType,
        entry: world.catalogue.get(dataType),
        scope,
        id,
        records,
        request,
        readings,
        faults,
        now,
        extra,
        random,
        startedAt: scope === 'experiment' ? startOf(world, id, now) : null,
      });
    if (steps[0] === 'experiments' || steps[0] === 'deployments')
      requireScope(['read:experiments'], { key, faults, now });
    if (steps[0] === 'experiments') {
      const isShared = steps[1] === 'shared' && sharing.experiments !== undefined;
      if (isShared) return experiments(listed(world, sharing, 'shared'), ['experiments'], request, now, list);
      if (steps[1] !== undefined) requireShared(sharing, steps[1], false);
      const shown = steps[1] === undefined ? listed(world, sharing, 'own') : world;
      return experiments(shown, steps, request, now, list);
    }
    if (steps[0] === 'deployments') return deployments(world, steps, request, now, list);
    if (steps[0] === 'data') return data(steps.slice(1), { world, sharing, request, key, now, list, readings, faults });
    throw new ApiError(404, 'no such endpoint');
  };

  return (request, now, meterNow = now) => {
    const date = { date: new Date(now).toUTCString() };
    if (request.path === '/health') {
      return jsonReply({ status: 'healthy', version: '3.0.0', timestamp: new Date(now).toISOString() }, 200, date);
    }
    if (request.path === '/openapi.yaml') {
      const reply = description(options.world, now);
      return { ...reply, headers: { ...date, ...reply.headers } };
    }
    try {
      if (request.method !== 'GET') throw new ApiError(405, 'this simulator only reads');
      const key = options.keys.find((known) => known.key === request.headers['x-api-key']);
      if (key === undefined || key.revoked === true || (key.expiresAt ?? Infinity) <= now)
        throw new ApiError(401, 'Invalid or expired API key');
      const wait = meter.take(key.key, dataTypeOf(request.path), request.path, meterNow);
      if (wait > 0)
        throw new ApiError(429, 'Rate limit exceeded', null, { 'retry-after': retryAfter(wait, now, readings) });
      const reply = route(request, key, now);
      return { ...reply, headers: { ...date, ...reply.headers } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return errorReply(error.status, error.message, error.details, { ...date, ...error.headers });
    }
  };
}

/** The world as the API shows it while experiments are missing. */
function withoutGone(world: World, faults: Faults, now: number): World {
  const gone = faults.inForce('experimentGone', now);
  return gone.length === 0
    ? world
    : withoutExperiments(world, (id) => gone.some(({ experimentId = id }) => experimentId === id));
}

function stepsOf(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((step) => step !== '')
      .map(decodeURIComponent);
  } catch {
    throw new ApiError(400, 'the path is not encoded as it should be');
  }
}

/** When the first room of an experiment started, for the metadata. */
function startOf(world: World, experimentId: string, now: number): string | null {
  const starts = world.records('rooms', experimentId, now).map((room) => room['startedAt']);
  return starts.filter((start) => typeof start === 'string').sort()[0] ?? null;
}

function retryAfter(wait: number, now: number, { retryAfter: form }: Readings): string {
  const seconds = Math.ceil(wait / 1000);
  return form === 'seconds' ? String(seconds) : new Date(now + seconds * 1000).toUTCString();
}

/** What the per-minute limit may count by: `ratings/continuous` for `/data/ratings/continuous/room/r1`. */
function dataTypeOf(path: string): string {
  const [first = '', ...rest] = path.split('/').filter((step) => step !== '');
  if (first !== 'data') return first;
  const scope = rest.findIndex((step) => ['experiment', 'room', 'participant'].includes(step));
  return rest.slice(0, scope === -1 ? 1 : scope).join('/');
}
