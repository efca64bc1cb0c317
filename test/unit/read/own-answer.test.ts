import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/api/client.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Scope } from '../../../src/datasets/stream.ts';
import { openTraits } from '../../../src/read/endpoint-traits.ts';
import { agedText, openOwnAnswers } from '../../../src/read/own-answer.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
import { DAY_MS, formatTime } from '../../../src/shared/time.ts';

const START = Date.parse('2026-01-12T09:00:00.000Z');
type Sent = Readonly<Record<string, string | number | boolean>>;

/** The answers to requests for a stream of `exp_1`, in a warehouse that knows `exp_1`, `exp_2` and the room `room_2`. */
function answering(data = 'events', scope: Scope = { kind: 'experiment' }) {
  const db = openEmpty();
  const enrol = db.prepare("INSERT INTO _streams (experiment_id, data, scope) VALUES (?, 'events', 'experiment')");
  for (const id of ['exp_1', 'exp_2']) enrol.run(id);
  db.prepare(
    "INSERT INTO rooms (experiment_id, key, id, first_seen_at, synced_at) VALUES ('exp_2', 'room_2', 'room_2', 'x', 'x')",
  ).run();
  const time = { now: START };
  const stream = { experimentId: 'exp_1', dataset: datasetNamed(data), scope };
  const check = openOwnAnswers(
    db,
    openTraits(db, stream, () => time.now),
  );
  const ask = (answer: Partial<Answer>, sent: Sent = {}, path = `/data/${data}/experiment/exp_1`) =>
    check({ stream, path, sent, answer: { metadata: {}, data: [], ...answer } as unknown as Answer });
  return { ask, time };
}
const named = (dataType: string, scopeId?: string): Partial<Answer> => ({
  metadata: { dataType, ...(scopeId === undefined ? {} : { scopeId }) },
});

describe('an answer', () => {
  it('is for another data type if it names that one, once the endpoint has named its own', () => {
    const { ask, time } = answering('agent-runs');
    expect(ask(named('agentDecisions'))).toBeUndefined();
    expect(ask(named('agentRuns'))).toBeUndefined();
    expect(ask(named('agentDecisions'))).toEqual({ of: 'another thing', text: 'it names agentDecisions' });
    time.now += 30 * DAY_MS;
    expect(ask(named('agentDecisions'))).toBeUndefined();
  });

  it('may name something that is no data type of ours', () => {
    const { ask } = answering();
    ask(named('events'));
    expect(ask(named('records'))).toBeUndefined();
  });

  it.each<[string, string, Scope, boolean]>([
    ['another experiment that is known', 'exp_2', { kind: 'experiment' }, true],
    ['a room of another experiment', 'room_2', { kind: 'experiment' }, true],
    ['its own experiment', 'exp_1', { kind: 'experiment' }, false],
    ['something that nothing else is called', 'exp_9', { kind: 'experiment' }, false],
    ['its room', 'room_2', { kind: 'room', id: 'room_2' }, false],
    ['the experiment of its room', 'exp_1', { kind: 'room', id: 'room_1' }, false],
    ['the room of its participant', 'room_2', { kind: 'participant', id: 'p', room: 'room_2' }, false],
    ['another room than that of its participant', 'room_2', { kind: 'participant', id: 'p', room: 'room_1' }, true],
  ])('that names %s, %s, for %j, is for another thing: %s', (_what, id, scope, isForeign) => {
    const { ask } = answering('events', scope);
    expect(ask(named('events', id))?.text).toBe(isForeign ? `it names ${id}` : undefined);
  });

  it('is not judged by names outside of /data, where answers are of other forms', () => {
    const { ask } = answering('experiments');
    expect(ask(named('events', 'exp_2'), {}, '/experiments/exp_1')).toBeUndefined();
  });

  it('is for other records if it names another offset, but 0 only where the endpoint names offsets', () => {
    const { ask } = answering();
    const at = (offset: number): Partial<Answer> => ({ metadata: { pagination: { offset } } });
    expect(ask(at(0), { offset: 100 })).toBeUndefined();
    expect(ask(at(50), { offset: 100 })?.text).toBe('it is for the records from offset 50 on, not 100');
    expect(ask(at(100), { offset: 100 })).toBeUndefined();
    expect(ask(at(0), { offset: 200 })).toMatchObject({ of: 'another thing' });
    expect(ask({ echo: { offset: 100 } }, { offset: 200 })).toBeDefined();
  });

  it.each<[string, Sent, Sent, string | undefined]>([
    ['another startTime', { startTime: formatTime(START) }, { startTime: formatTime(START + 2000) }, 'startTime'],
    ['another endTime', { endTime: formatTime(START) }, { endTime: formatTime(START - 2000) }, 'endTime'],
    ['a rounded time', { startTime: formatTime(START + 999) }, { startTime: formatTime(START) }, undefined],
    ['a time that was not requested', {}, { startTime: formatTime(START) }, undefined],
    ['no time', { startTime: formatTime(START) }, {}, undefined],
    ['what is no time', { startTime: formatTime(START) }, { startTime: 'yesterday' }, undefined],
  ])('that names %s is judged by it', (_what, sent, echo, other) => {
    const foreign = answering().ask({ echo: echo }, sent);
    expect(foreign).toEqual(
      other === undefined ? undefined : { of: 'another place', text: `it is for another ${other}` },
    );
  });

  it.each<[string, Sent, boolean]>([
    ['the order that was requested', { order: 'asc' }, false],
    ['the other order', { order: 'desc' }, true],
    ['an order, and none was requested', {}, false],
  ])('that names %s is turned round: %s', (_what, sent, isTurned) => {
    const foreign = answering().ask({ echo: { order: 'asc' } }, sent);
    expect(foreign?.text).toBe(isTurned ? 'it is in the order asc' : undefined);
  });

  it('of a cache is an old one from a minute on, which could be two readings of a row that is gone', () => {
    const answer = (ageMs?: number) => ({ ageMs }) as unknown as Answer;
    expect([agedText(answer()), agedText(answer(59_999))]).toEqual([undefined, undefined]);
    expect(agedText(answer(60_000))).toBe('a cache on the way sent an answer that is 60 seconds old');
  });
});
