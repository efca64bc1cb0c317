import { createApi, type ApiOptions } from '../../../src/simulator/api.ts';
import type { SimRecord, WorldOptions } from '../../../src/simulator/life.ts';
import type { SimReply } from '../../../src/simulator/reply.ts';
import { createWorld, type World } from '../../../src/simulator/world.ts';
import { HOUR_MS as HOUR } from '../../../src/shared/time.ts';

export { HOUR };

export const START = Date.parse('2026-01-12T09:00:00.000Z');
/** When every room of the small world has ended. */
export const LATER = START + 10 * HOUR;
export const KEY = 'hst_test_all';

export const SMALL: WorldOptions = {
  seed: 5,
  start: START,
  experiments: 2,
  roomsPerExperiment: 3,
  participantsPerRoom: 2,
  videoSeconds: 20,
  roomEveryMs: HOUR,
};

export interface Answer {
  readonly status: number;
  readonly reply: SimReply;
  readonly data: SimRecord[];
  readonly metadata: Record<string, unknown> & { pagination?: Record<string, unknown> };
  readonly error: { code: string; message: string; details: unknown };
}

/** The handler of a world, asked for a path with its query at a time. */
export function box(options: Partial<ApiOptions> = {}) {
  const world: World = options.world ?? createWorld(SMALL);
  const handle = createApi({
    world,
    keys: [{ key: KEY, scopes: ['*'] }],
    limits: { perHour: 1e9, perEndpointPerMinute: 1e9 },
    ...options,
  });
  const ask = (target: string, now = LATER, key: string | undefined = KEY, method = 'GET'): SimReply => {
    const [path = '', query = ''] = target.split('?');
    return handle({ method, path, query: new URLSearchParams(query), headers: { 'x-api-key': key } }, now);
  };
  const get = (target: string, now?: number, key?: string): Answer => {
    const reply = ask(target, now, key);
    const body = JSON.parse(reply.body) as Omit<Answer, 'status' | 'reply'>;
    return { ...body, status: reply.status, reply };
  };
  const [first = '', second = ''] = world.experimentIds;
  return { world, ask, get, first, second };
}
