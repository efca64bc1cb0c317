import { describe, expect, it } from 'vitest';
import { at, openBench } from '../../support/derived.ts';

let n = 0;
const event = (onset: number, eventType: string, stateId: string, more: object = {}) =>
  ({ id: `e${n++}`, roomId: 'r', participantId: 'ana', ...at(onset), eventType, stateId, ...more }) as never;
const COLUMNS = ['state_id', 'component_id', 'start_s', 'end_s', 'start_known_by', 'end_known_by'];

describe('stages', () => {
  it('begin and end with the events that say so', () => {
    const bench = openBench();
    bench.write(
      'events',
      event(0, 'state.enter', 'a'),
      event(4000, 'state.exit', 'a'),
      event(5000, 'state.enter', 'b'),
    );
    expect(bench.rows('stages', ...COLUMNS)).toEqual([
      { state_id: 'a', component_id: null, start_s: 0, end_s: 4, start_known_by: 'event', end_known_by: 'event' },
      { state_id: 'b', component_id: null, start_s: 5, end_s: null, start_known_by: 'event', end_known_by: 'open' },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('end where the next one begins if no event says so, and begin with their first event', () => {
    const bench = openBench();
    bench.write('events', event(100, 'media.play', 'a'), event(200, 'media.pause', 'a'), event(900, 'chat', 'b'));
    expect(bench.rows('stages', ...COLUMNS).slice(0, 1)).toEqual([
      {
        state_id: 'a',
        component_id: null,
        start_s: 0.1,
        end_s: 0.9,
        start_known_by: 'first event',
        end_known_by: 'next stage',
      },
    ]);
  });

  it('divide a state where another component comes onto the screen', () => {
    const bench = openBench();
    const shown = (onset: number, componentId: string) => event(onset, 'component.view', 's', { componentId });
    bench.write(
      'events',
      event(0, 'state.enter', 's'),
      shown(10, 'c1'),
      event(20, 'component.response', 's', { componentId: 'c1' }),
      shown(30, 'c2'),
    );
    expect(bench.rows('stages', 'component_id', 'start_s', 'end_s')).toEqual([
      { component_id: 'c1', start_s: 0, end_s: 0.03 },
      { component_id: 'c2', start_s: 0.03, end_s: null },
    ]);
  });

  it('take the medium from the design, or from what its events say', () => {
    const bench = openBench();
    const focusComponent = { id: 'v', type: 'showvideo', config: { videoId: 'film_1' } };
    bench.write('experiment-configs', { name: 'x', states: [{ id: 'a', name: 'Film', focusComponent }] });
    bench.write(
      'events',
      event(0, 'state.enter', 'a'),
      event(50, 'media.play', 'b', { componentId: 'w', data: { videoId: 'film_2' } }),
    );
    expect(bench.rows('stages', 'state_name', 'component_id', 'component_type', 'medium')).toEqual([
      { state_name: 'Film', component_id: 'v', component_type: 'showvideo', medium: 'film_1' },
      { state_name: null, component_id: 'w', component_type: null, medium: 'film_2' },
    ]);
  });

  it('end with the participation, or with the room', () => {
    const bench = openBench();
    const person = { id: 'ana', roomId: 'r', joinedAt: at(-1000).timestamp };
    bench.write('events', event(0, 'state.enter', 'a'));
    const end = () => bench.rows('stages', 'end_s', 'end_known_by');
    bench.write('rooms', { id: 'r', status: 'active', createdAt: at(-5000).timestamp });
    expect(end()).toEqual([{ end_s: null, end_known_by: 'open' }]);
    bench.write('rooms', { id: 'r', status: 'completed', createdAt: at(-5000).timestamp });
    expect(end()).toEqual([{ end_s: 0, end_known_by: 'last event' }]);
    bench.write('rooms', { id: 'r', status: 'completed', createdAt: at(-5000).timestamp, endedAt: at(9000).timestamp });
    expect(end()).toEqual([{ end_s: 9, end_known_by: 'room' }]);
    bench.write('participants', { ...person, completedAt: at(7000).timestamp });
    expect(end()).toEqual([{ end_s: 7, end_known_by: 'participation' }]);
    expect(bench.wrong()).toEqual([]);
  });

  it('of everyone follow events of the room that name no participant', () => {
    const bench = openBench();
    const ofRoom = { ...(event(1000, 'state.enter', 'b') as object), participantId: null } as never;
    bench.write('events', event(0, 'state.enter', 'a'), event(0, 'state.enter', 'a', { participantId: 'bo' }), ofRoom);
    expect(bench.rows('stages', 'participant_id', 'state_id', 'start_s', 'events')).toEqual([
      { participant_id: 'ana', state_id: 'a', start_s: 0, events: 1 },
      { participant_id: 'ana', state_id: 'b', start_s: 1, events: 0 },
      { participant_id: 'bo', state_id: 'a', start_s: 0, events: 1 },
      { participant_id: 'bo', state_id: 'b', start_s: 1, events: 0 },
    ]);
  });

  it('are those of the room for participants of whom no event names a state', () => {
    const bench = openBench();
    const ofRoom = (onset: number, state: string) => event(onset, 'state.enter', state, { participantId: null });
    bench.write('events', ofRoom(0, 'a'), ofRoom(1000, 'b'));
    const found = () => bench.rows('stages', 'participant_id', 'state_id', 'start_s', 'end_s', 'events');
    expect(found()).toEqual([]);
    bench.write('participants', { id: 'ana', roomId: 'r' });
    expect(found()).toEqual([
      { participant_id: 'ana', state_id: 'a', start_s: 0, end_s: 1, events: 0 },
      { participant_id: 'ana', state_id: 'b', start_s: 1, end_s: null, events: 0 },
    ]);
    expect(bench.wrong()).toEqual([]);
    bench.remove('participants', { id: 'ana', roomId: 'r' });
    expect(found()).toEqual([]);
  });

  it('may still last in a room that was opened again', () => {
    const bench = openBench();
    bench.write('rooms', { id: 'r', status: 'active', createdAt: at(-5000).timestamp, endedAt: at(900).timestamp });
    bench.write('events', event(0, 'state.enter', 'a'), event(1000, 'state.enter', 'b'));
    const end = () => bench.rows("stages WHERE state_id = 'b'", 'end_s', 'end_known_by');
    expect(end()).toEqual([{ end_s: null, end_known_by: 'open' }]);
    bench.write('rooms', { id: 'r', status: 'completed', createdAt: at(-5000).timestamp, endedAt: at(9000).timestamp });
    expect(end()).toEqual([{ end_s: 9, end_known_by: 'room' }]);
  });

  it('count a late event of a state that has ended to it', () => {
    const bench = openBench();
    bench.write(
      'events',
      event(0, 'state.enter', 'a'),
      event(10, 'state.exit', 'a'),
      event(12, 'component.response', 'a'),
    );
    expect(bench.rows('stages', 'end_s', 'events')).toEqual([{ end_s: 0.01, events: 3 }]);
  });

  it('have two stays where a participant comes back to a state', () => {
    const bench = openBench();
    bench.write('events', event(0, 'state.enter', 'a'), event(10, 'state.enter', 'b'), event(20, 'state.enter', 'a'));
    expect(bench.rows('stages', 'number', 'state_id')).toEqual([
      { number: 1, state_id: 'a' },
      { number: 2, state_id: 'b' },
      { number: 3, state_id: 'a' },
    ]);
  });

  it('of a participant who joined late or left early are those while they were there', () => {
    const bench = openBench();
    const ofRoom = (onset: number, type: string, state: string) => event(onset, type, state, { participantId: null });
    const person = (id: string, joined: number, completed: number) => ({
      id,
      roomId: 'r',
      joinedAt: at(joined).timestamp,
      completedAt: at(completed).timestamp,
    });
    bench.write('participants', person('ana', -1000, 6000), person('bo', 5000, 20_000));
    bench.write(
      'events',
      ofRoom(0, 'state.enter', 'a'),
      event(10, 'media.play', 'a'),
      event(5500, 'media.play', 'a', { participantId: 'bo' }),
      ofRoom(10_000, 'state.enter', 'b'),
    );
    expect(
      bench.rows('stages ORDER BY participant_id', 'participant_id', ...COLUMNS.slice(0, 1), ...COLUMNS.slice(2)),
    ).toEqual([
      {
        participant_id: 'ana',
        state_id: 'a',
        start_s: 0,
        end_s: 6,
        start_known_by: 'event',
        end_known_by: 'participation',
      },
      {
        participant_id: 'bo',
        state_id: 'a',
        start_s: 5,
        end_s: 10,
        start_known_by: 'participation',
        end_known_by: 'next stage',
      },
      {
        participant_id: 'bo',
        state_id: 'b',
        start_s: 10,
        end_s: 20,
        start_known_by: 'event',
        end_known_by: 'participation',
      },
    ]);
    bench.write('participants', person('bo', -500, 20_000));
    expect(bench.rows("stages WHERE participant_id = 'bo'", 'start_s').at(0)).toEqual({ start_s: 0 });
    expect(bench.wrong()).toEqual([]);
  });
});
