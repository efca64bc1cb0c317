import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';

const person = (id: string, room: string | null, joined: number, more: object = {}) =>
  ({ id, ...(room === null ? {} : { roomId: room }), joinedAt: at(joined).timestamp, ...more }) as never;
const rating = (id: string, participantId: string, roomId: string | null = 'r', onset = 0) =>
  ({ ratingId: id, participantId, ...(roomId === null ? {} : { roomId }), ...at(onset), value: 1 }) as never;

describe('people', () => {
  it('are the participations, with the names of experiment and deployment', () => {
    const bench = openBench();
    bench.write(
      'participants',
      person('ana', 'r', 0, { completionCode: 'SUCCESS', completedAt: at(90_000).timestamp }),
    );
    bench.write('rooms', { id: 'r', deploymentId: 'd', createdAt: at(-1000).timestamp });
    bench.write('deployments', { id: 'd', name: 'Pilot' });
    bench.write('experiments', { id: 'e', name: 'Trust' });
    expect(
      bench.rows(
        'people',
        'experiment_name',
        'deployment_id',
        'deployment_name',
        'is_complete',
        'duration_s',
        'is_listed',
      ),
    ).toEqual([
      {
        experiment_name: 'Trust',
        deployment_id: 'd',
        deployment_name: 'Pilot',
        is_complete: 1,
        duration_s: 90,
        is_listed: 1,
      },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it.each([
    ['SUCCESS', 1],
    ['COMPLETED_NO_CODE', 1],
    ['IN_PROGRESS', 0],
    ['ABANDONED', 0],
    [null, null],
  ])('with the code %s have is_complete %s', (completionCode, is_complete) => {
    const bench = openBench();
    bench.write('participants', person('ana', 'r', 0, { completionCode }));
    expect(bench.rows('people', 'is_complete')).toEqual([{ is_complete }]);
  });

  it('count their rows of each data type, also when rows change, move and go', () => {
    const bench = openBench();
    const counts = () => bench.rows('people ORDER BY participant_id', 'participant_id', 'n_ratings_continuous AS n');
    bench.write('participants', person('ana', 'r', 0), person('bo', 'r', 1));
    bench.write('ratings/continuous', rating('1', 'ana'), rating('2', 'ana'), rating('3', 'bo'));
    expect(counts()).toEqual([
      { participant_id: 'ana', n: 2 },
      { participant_id: 'bo', n: 1 },
    ]);
    bench.write('ratings/continuous', rating('2', 'bo'));
    expect(counts()).toEqual([
      { participant_id: 'ana', n: 1 },
      { participant_id: 'bo', n: 2 },
    ]);
    bench.remove('ratings/continuous', rating('3', 'bo'));
    expect(counts()).toEqual([
      { participant_id: 'ana', n: 1 },
      { participant_id: 'bo', n: 1 },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('are also those of whom only data are known', () => {
    const bench = openBench();
    bench.write('ratings/continuous', rating('1', 'ana'));
    expect(bench.rows('people', 'participant_id', 'is_listed', 'n_ratings_continuous')).toEqual([
      { participant_id: 'ana', is_listed: 0, n_ratings_continuous: 1 },
    ]);
    bench.write('participants', person('ana', 'r', 0));
    expect(bench.rows('people', 'is_listed', 'n_ratings_continuous')).toEqual([
      { is_listed: 1, n_ratings_continuous: 1 },
    ]);
    bench.remove('ratings/continuous', rating('1', 'ana'));
    bench.remove('participants', person('ana', 'r', 0));
    expect(bench.rows('people')).toEqual([]);
    expect(bench.wrong()).toEqual([]);
  });

  it('have what they did before the matching counted to their only room', () => {
    const bench = openBench();
    bench.write('events', {
      id: 'c',
      participantId: 'ana',
      ...at(-9000),
      category: 'pre_experiment',
      eventType: 'consent.given',
    });
    expect(bench.rows('people', 'room_id', 'n_events')).toEqual([{ room_id: null, n_events: 1 }]);
    bench.write('participants', person('ana', 'r', 0));
    expect(bench.rows('people', 'room_id', 'n_events')).toEqual([{ room_id: 'r', n_events: 1 }]);
    bench.write('participants', person('ana', 'r2', 0));
    expect(bench.rows('people ORDER BY room_id', 'room_id', 'n_events')).toEqual([
      { room_id: null, n_events: 1 },
      { room_id: 'r', n_events: 0 },
      { room_id: 'r2', n_events: 0 },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('keep two persons of one id in two rooms apart', () => {
    const bench = openBench();
    bench.write('participants', person('1', 'r', 0, { role: 'host' }), person('1', 'r2', 0, { role: 'guest' }));
    bench.write('ratings/continuous', rating('a', '1', 'r'), rating('b', '1', 'r2'), rating('c', '1', 'r2', 5));
    expect(bench.rows('people ORDER BY room_id', 'role', 'n_ratings_continuous')).toEqual([
      { role: 'host', n_ratings_continuous: 1 },
      { role: 'guest', n_ratings_continuous: 2 },
    ]);
  });

  it('are numbered by the opening of their room and by their joining, also if an earlier one comes late', () => {
    const bench = openBench();
    const numbers = () =>
      bench.rows(
        'people ORDER BY room_number, participant_number',
        'participant_id',
        'room_number',
        'participant_number',
      );
    const room = (id: string, onset: number) => ({ id, createdAt: at(onset).timestamp });
    bench.write('rooms', room('r2', 2000));
    bench.write('participants', person('cy', 'r2', 2500), person('di', 'r2', 2400));
    bench.write('rooms', room('r1', 1000));
    bench.write('participants', person('ana', 'r1', 1500));
    expect(numbers()).toEqual([
      { participant_id: 'ana', room_number: 1, participant_number: 1 },
      { participant_id: 'di', room_number: 2, participant_number: 1 },
      { participant_id: 'cy', room_number: 2, participant_number: 2 },
    ]);
    bench.write('participants', person('di', 'r2', 2600));
    expect(numbers().map(({ participant_id }) => participant_id)).toEqual(['ana', 'cy', 'di']);
    expect(bench.wrong()).toEqual([]);
  });

  it('know when onset 0 of their room was, and their last state', () => {
    const bench = openBench();
    bench.write('participants', person('ana', 'r', 0));
    const event = (id: string, onset: number, more: object) =>
      ({ id, roomId: 'r', participantId: 'ana', ...at(onset), ...more }) as never;
    bench.write(
      'events',
      event('a', 1000, { stateId: 's1' }),
      event('b', 2000, { stateId: 's2', stateName: 'Film' }),
      event('c', 3000, {}),
    );
    bench.write('events', {
      ...(event('0', 0, { category: 'pre_experiment' }) as object),
      timestamp: at(-5000).timestamp,
    });
    expect(bench.rows('people', 'clock_zero_at', 'last_state_id', 'last_state_name')).toEqual([
      { clock_zero_at: '2026-01-12T09:00:00.000Z', last_state_id: 's2', last_state_name: 'Film' },
    ]);
  });

  it('have the last state that stages have, also where the clock of a browser was set back', () => {
    const bench = openBench();
    bench.write('participants', person('ana', 'r', 0));
    const event = (id: string, onset: number | null, timestamp: number, stateId: string) =>
      ({ id, roomId: 'r', participantId: 'ana', onset, timestamp: at(timestamp).timestamp, stateId }) as never;
    bench.write('events', event('a', 1000, 3_601_000, 's1'), event('b', 2000, 2000, 's2'));
    const last = () => bench.rows('people', 'last_state_id').map(Object.values);
    expect(last()).toEqual([['s2']]);
    bench.write('events', event('c', null, 2500, 's3'));
    expect(last()).toEqual([['s3']]);
    expect(bench.wrong()).toEqual([]);
  });
});
