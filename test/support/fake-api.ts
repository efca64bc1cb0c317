import type { Answer, Client } from '../../src/api/client.ts';
import type { Stream } from '../../src/datasets/stream.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { isObject, type Json } from '../../src/shared/json.ts';
import { parseTime } from '../../src/shared/time.ts';

/** What one request asked for: its query, and the room where it was about one. */
export type Asked = Readonly<Record<string, string | number | boolean>>;

/** The API of one data type, which answers from a list of records. */
export interface FakeApi {
  records: readonly Json[];
  /** The rooms of the experiment, which it lists as well. */
  rooms: readonly Json[];
  /** The experiment's own record. */
  experiment: Json;
  /** Its clock. */
  now: number;
  /** What it says of its processing: its version and the start of the experiment. */
  basis: readonly [version: string | null, start: string | null] | undefined;
  /** Parameters that it does not look at. */
  ignores: readonly string[];
  /** Parameters at which it answers 400. */
  refuses: readonly string[];
  /** What it does to its answers; it may throw. */
  change: (answer: Answer, asked: Asked) => Answer;
  /** What `check-access` says, or the error at which it ends. */
  canView: boolean | WarehouseError;
  /** Every request for records, in their order. */
  asked: Asked[];
}

/** An API that has no records yet and whose clock stands at that time. */
export function fakeApi(now: number): FakeApi {
  return {
    records: [],
    rooms: [],
    experiment: { id: 'exp_1' },
    now,
    basis: undefined,
    ignores: [],
    refuses: [],
    change: (answer) => answer,
    canView: true,
    asked: [],
  };
}

/** A client that asks a fake API, with no network between. */
export function clientOf(api: FakeApi, { dataset: { name, timeField } }: Stream): Client {
  let tries = 0;
  return {
    get tries() {
      return tries;
    },
    async get(request) {
      await Promise.resolve();
      tries++;
      request.onTry?.();
      if (request.endpoint === 'check-access') return accessOf(api);
      if (name !== 'rooms' && request.path.startsWith('/data/rooms/'))
        return answerTo({ ...api, records: api.rooms }, request.query ?? {}, 'createdAt');
      if (request.path.startsWith('/experiments/')) return { ...emptyAnswer(api), data: [api.experiment] };
      const room = request.path.startsWith(`/data/${name}/room/`) ? { room: request.path.split('/').at(-1) ?? '' } : {};
      const asked: Asked = { ...room, ...request.query };
      api.asked.push(asked);
      const refused = api.refuses.find((parameter) => parameter in asked);
      if (refused !== undefined) throw new WarehouseError('PARAMETER_REFUSED', `the API refused ${refused}`);
      const heeded = Object.fromEntries(
        Object.entries(asked).filter(([parameter]) => !api.ignores.includes(parameter)),
      );
      return api.change(answerTo(api, heeded, timeField ?? ''), asked);
    },
    health: () => Promise.reject(new Error('health is not asked for')),
    description: () => Promise.resolve({ status: 404, body: { text: '' } }),
    tryKeyAgain: () => undefined,
    close: () => Promise.resolve(),
  };
}

function answerTo(api: FakeApi, asked: Asked, timeField: string): Answer {
  const valueOf = (record: Json, field: string) => (isObject(record) ? record[field] : undefined);
  const timeOf = (record: Json) => {
    const time = valueOf(record, timeField);
    return typeof time === 'string' ? parseTime(time) : undefined;
  };
  const [from, to] = [asked['startTime'], asked['endTime']].map((text) => parseTime(String(text ?? '')));
  const order = asked['order'] === 'desc' ? -1 : 1;
  const matching = api.records.filter((record) => {
    const time = timeOf(record);
    return (
      (asked['room'] === undefined || valueOf(record, 'roomId') === asked['room']) &&
      (from === undefined || (time !== undefined && time >= from)) &&
      (to === undefined || (time !== undefined && time <= to))
    );
  });
  const sorted =
    asked['sort'] === undefined
      ? matching
      : matching.toSorted((a, b) => order * ((timeOf(a) ?? Infinity) - (timeOf(b) ?? Infinity)));
  const [offset, limit] = [Number(asked['offset'] ?? 0), Number(asked['limit'] ?? matching.length)];
  const data = sorted.slice(offset, offset + limit);
  const end = offset + data.length;
  const hasMore = end < matching.length;
  return {
    ...emptyAnswer(api),
    data: [...data],
    pagination: {
      total: matching.length,
      returned: data.length,
      hasMore,
      limit,
      ...(hasMore ? { nextOffset: end } : {}),
    },
  };
}

function accessOf(api: FakeApi): Answer {
  if (api.canView instanceof WarehouseError) throw api.canView;
  return { ...emptyAnswer(api), data: [{ canView: api.canView, canExport: api.canView }] };
}

function emptyAnswer({ now, basis }: FakeApi): Answer {
  return {
    data: [],
    metadata: {},
    warnings: [],
    truncated: false,
    pagination: undefined,
    echo: undefined,
    basis: basis === undefined ? undefined : JSON.stringify(basis),
    serverTime: now,
    tries: 1,
  };
}

/** An answer that says that it may lack records. */
export const warned = (answer: Answer): Answer => ({ ...answer, warnings: ['MISSING_INDEX'] });

/** An answer with other words about its page. */
export const told = (answer: Answer, words: Answer['pagination']): Answer => ({
  ...answer,
  pagination: { ...answer.pagination, ...words },
});
