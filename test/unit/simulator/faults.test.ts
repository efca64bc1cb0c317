import { describe, expect, it } from 'vitest';
import type { ApiFault } from '../../../src/simulator/faults.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { box, HOUR, LATER, SMALL, START, type Answer } from './box.ts';

const MESSAGES = 40;
const at = (minute: number) => new Date(START + minute * 60_000).toISOString();

/** A world whose first experiment has forty messages of its first room, one a minute, under faults. */
function messages(...faults: ApiFault[]) {
  const world = createWorld({ ...SMALL, seed: 9, videoSeconds: 0 });
  const [first = ''] = world.experimentIds;
  const [room] = world.records('rooms', first, LATER);
  const roomId = String(room?.['id']);
  for (let i = 0; i < MESSAGES; i++)
    world.insert('chat', first, { messageId: `m${i}`, roomId, timestamp: at(i), onset: i }, START);
  const asked = box({ world, faults });
  const chat = (query = '', now = LATER) => asked.get(`/data/chat/experiment/${first}?limit=100&${query}`, now);
  const inRoom = (query = '') => asked.get(`/data/chat/room/${roomId}?limit=100&${query}`);
  return { ...asked, chat, inRoom };
}

const told = ({ data, metadata: { pagination } }: Answer) => [
  data.length,
  pagination?.['total'],
  pagination?.['hasMore'],
  pagination?.['nextOffset'],
];

describe('a fault', () => {
  it('counts the returned records for all there are, and has no more on a full page', () => {
    const { get, first } = messages({ kind: 'totalIsReturned', dataTypes: ['chat'] });
    expect(told(get(`/data/chat/experiment/${first}?limit=7`))).toEqual([7, 7, false, undefined]);
    expect(told(get(`/data/chat/experiment/${first}?limit=7&offset=35`))).toEqual([5, 5, false, undefined]);
    expect(told(get(`/data/rooms/experiment/${first}?limit=1`))).toEqual([1, 3, true, 1]);
  });

  it('warns at the scopes named, with fewer records or none', () => {
    const none = messages({ kind: 'warned', scopes: ['experiment'] });
    expect(told(none.chat())).toEqual([0, 0, false, undefined]);
    expect(none.chat().metadata['_warnings']).toEqual([expect.stringMatching(/^MISSING_INDEX: /) as string]);
    expect(none.inRoom().data.length).toBe(MESSAGES);
    expect(none.inRoom().metadata).not.toHaveProperty('_warnings');
    const { data, metadata } = messages({ kind: 'warned', lacks: 0.5 }).chat();
    expect(data.length).toBeGreaterThan(0);
    expect(data.length).toBeLessThan(MESSAGES);
    expect(metadata.pagination?.['total']).toBe(data.length);
  });

  it('warns of requests with a time filter only, if so configured', () => {
    const { chat } = messages({ kind: 'warned', lacks: 0.5, isFiltered: true });
    expect(chat().data.length).toBe(MESSAGES);
    expect(chat().metadata).not.toHaveProperty('_warnings');
    const filtered = chat(`startTime=${at(0)}`);
    expect(filtered.data.length).toBeLessThan(MESSAGES);
    expect(filtered.metadata).toHaveProperty('_warnings');
  });

  it('cuts a page, and tells the whole total beside it', () => {
    expect(told(messages({ kind: 'cutPage', rows: 0 }).chat())).toEqual([0, MESSAGES, false, undefined]);
    expect(told(messages({ kind: 'cutPage', rows: 1 }).chat('sort=timestamp'))).toEqual([
      1,
      MESSAGES,
      false,
      undefined,
    ]);
  });

  it('leaves records out of one answer and its count without a word', () => {
    const { chat } = messages({ kind: 'lagging', lacks: ({ onset }) => Number(onset) < 10, times: 1 });
    const { data, metadata } = chat('sort=timestamp');
    expect([data.length, metadata.pagination?.['total']]).toEqual([MESSAGES - 10, MESSAGES - 10]);
    expect(metadata).not.toHaveProperty('_warnings');
    expect(chat('sort=timestamp').data.length).toBe(MESSAGES);
  });

  it('has one record in the place of the next one as well, and counts as before', () => {
    const { data, metadata } = messages({ kind: 'repeated' }).chat('sort=timestamp');
    expect(metadata.pagination?.['total']).toBe(MESSAGES);
    expect(data.length).toBe(MESSAGES);
    expect(new Set(data.map((record) => JSON.stringify(record))).size).toBe(MESSAGES - 1);
  });

  it('leaves records out of short answers only', () => {
    const { get, first } = messages({ kind: 'lagging', lacks: ({ onset }) => Number(onset) < 10, maxLimit: 50 });
    const total = (limit: number) => told(get(`/data/chat/experiment/${first}?limit=${limit}&offset=20`))[1];
    expect([total(50), total(51)]).toEqual([MESSAGES - 10, MESSAGES]);
  });

  it('has another record once more in the place of each that is replaced, in every answer', () => {
    const { chat } = messages({ kind: 'replaced', of: ({ onset }) => Number(onset) >= 38 });
    const { data, metadata } = chat('sort=timestamp');
    expect(metadata.pagination?.['total']).toBe(MESSAGES);
    const [last] = data.filter(({ onset }) => onset === 37);
    expect(data.slice(-3)).toEqual([last, last, last]);
    expect(chat(`sort=timestamp&startTime=${at(37)}`).data).toEqual([last, last, last]);
  });

  it('hides some records from every request with a time filter, always the same, and from no other', () => {
    const { chat } = messages({ kind: 'blindFilter', to: 0.3 });
    expect(chat('sort=timestamp').data.length).toBe(MESSAGES);
    const seen = chat(`startTime=${at(0)}`);
    expect(seen.data.length).toBeLessThan(MESSAGES);
    expect(seen.metadata.pagination?.['total']).toBe(seen.data.length);
    expect(chat(`endTime=${at(MESSAGES)}`).data).toEqual(seen.data);
    const old = messages({ kind: 'blindFilter', to: ({ onset }) => Number(onset) < 10 });
    expect(old.chat(`startTime=${at(0)}`).data.length).toBe(MESSAGES - 10);
  });

  it('leaves records without the field out where they are to be sorted by it', () => {
    const { chat, world, first } = messages({ kind: 'sortNeedsField' });
    world.insert('chat', first, { messageId: 'bare' }, START);
    world.insert('chat', first, { messageId: 'null', timestamp: null }, START);
    expect(told(chat('sort=timestamp'))).toEqual([MESSAGES + 1, MESSAGES + 1, false, undefined]);
    expect(told(chat())).toEqual([MESSAGES + 2, MESSAGES + 2, false, undefined]);
  });

  it('ends a list early, which then counts what it has', () => {
    const { get, first } = messages({ kind: 'cutList', dataTypes: ['participants', 'experiments'], after: 1 });
    expect(told(get(`/data/participants/experiment/${first}`))).toEqual([1, 1, false, undefined]);
    expect(told(get('/experiments'))).toEqual([1, 1, false, undefined]);
    expect(get(`/experiments/${first}`).data[0]).toMatchObject({ participantCount: 6 });
  });

  it("sends records of other rooms in a room's answers", () => {
    const inAnother = (dataTypes: string[]) => {
      const { world, get, first } = messages({ kind: 'leaked', dataTypes, of: 1 });
      const [, another] = world.records('rooms', first, LATER);
      return get(`/data/chat/room/${String(another?.['id'])}?limit=100`).data.length;
    };
    expect([inAnother(['events']), inAnother(['chat'])]).toEqual([0, MESSAGES]);
  });

  it('answers pages that are too large with 504', () => {
    const { ask, first } = messages({ kind: 'tooLarge', dataTypes: ['chat'], above: 10 });
    const reply = (limit: number) => ask(`/data/chat/experiment/${first}?limit=${limit}`);
    expect([reply(10).status, reply(11).status]).toEqual([200, 504]);
    expect(reply(11).body).toMatch(/^<html>/);
  });

  it('cuts agent decisions at one scope, and leaves their reasoning out at another', () => {
    const { get, world, second } = box({
      faults: [
        { kind: 'truncated', scopes: ['experiment'], perRoom: 5 },
        { kind: 'nulled', dataTypes: ['agent-decisions'], scopes: ['experiment'], fields: ['reasoning'] },
      ],
    });
    const cut = get(`/data/agent-decisions/experiment/${second}?detail=true`);
    expect([cut.data.length, cut.metadata['truncated']]).toEqual([15, true]);
    expect(new Set(cut.data.map(({ reasoning }) => reasoning))).toEqual(new Set([null]));
    const [room] = world.records('rooms', second, LATER);
    const whole = get(`/data/agent-decisions/room/${String(room?.['id'])}?detail=true`);
    const decisions = whole.data.filter(({ _type }) => _type === 'decision');
    expect([decisions.length, whole.metadata['truncated'], typeof decisions[0]?.['reasoning']]).toEqual([
      12,
      false,
      'string',
    ]);
  });

  it('takes an experiment out of the list and answers 404, and gives it back', () => {
    const { world, get, first, second } = box({
      faults: [
        { kind: 'experimentGone', experimentId: createWorld(SMALL).experimentIds[0] ?? '', until: LATER + HOUR },
      ],
    });
    const [room] = world.records('rooms', first, LATER);
    const paths = [
      `/experiments/${first}`,
      `/data/events/experiment/${first}`,
      `/data/events/room/${String(room?.['id'])}`,
      `/data/check-access/experiment/${first}`,
    ];
    expect(paths.map((path) => get(path).status)).toEqual([404, 404, 404, 404]);
    expect(get('/experiments').data.map(({ id }) => id)).toEqual([second]);
    expect(get(`/deployments?experimentId=${first}`).data).toEqual([]);
    expect(paths.map((path) => get(path, LATER + HOUR).status)).toEqual([200, 200, 200, 200]);
    expect(get('/experiments', LATER + HOUR).data.length).toBe(2);
  });

  it('takes a scope, or all of them, from every key', () => {
    const { get, first } = box({ faults: [{ kind: 'scopeLost', scope: 'read:chat' }] });
    const status = (dataType: string) => get(`/data/${dataType}/experiment/${first}`).status;
    expect([status('chat'), status('events')]).toEqual([403, 200]);
    const bare = box({ faults: [{ kind: 'scopeLost' }] });
    expect(bare.get(`/data/events/experiment/${bare.first}`).status).toBe(403);
  });

  it('strikes in its time only, so many times, or as often as its chance has it', () => {
    const timed = messages({ kind: 'cutPage', rows: 0, from: LATER, until: LATER + 10 });
    const lengths = [LATER - 1, LATER, LATER + 9, LATER + 10].map((now) => timed.chat('', now).data.length);
    expect(lengths).toEqual([MESSAGES, 0, 0, MESSAGES]);
    const once = messages({ kind: 'cutPage', rows: 0, times: 1 });
    expect([once.chat(), once.chat()].map(({ data }) => data.length)).toEqual([0, MESSAGES]);
    const rare = messages({ kind: 'cutPage', rows: 0, chance: 0.2 });
    const struck = Array.from({ length: 200 }, () => rare.chat()).filter(({ data }) => data.length === 0).length;
    expect(struck).toBeGreaterThan(15);
    expect(struck).toBeLessThan(70);
  });

  it('may be added and taken away while the API is served', () => {
    const faults: ApiFault[] = [];
    const { ask, first } = box({ faults });
    const status = () => ask(`/data/chat/experiment/${first}`).status;
    faults.push({ kind: 'tooLarge', above: 1 });
    expect(status()).toBe(504);
    faults.length = 0;
    expect(status()).toBe(200);
  });
});
