import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isOver } from '../datasets/room-status.ts';
import type { JsonObject } from '../shared/json.ts';
import { queryRows } from '../shared/sqlite.ts';
import { defineDerived, NEVER, WHOSE, type Part } from './define.ts';
import { plannedIn, type Planned } from './design.ts';
import { timeText } from './moment.ts';
import { Members, named, rowsOf, scopeOf, Text, textIn, WITHIN } from './source.ts';

const COLUMNS = {
  ...WHOSE,
  number: {
    type: 'INTEGER',
    about: 'The place in the order of the participant, from 1.',
    unit: 'rank',
    missing: NEVER,
  },
  state_id: { type: 'TEXT', about: 'The state.', missing: NEVER, isCode: true },
  state_name: {
    type: 'TEXT',
    about: 'The name of the state.',
    missing: 'The state has none, or is not known.',
    isCode: true,
  },
  component_id: {
    type: 'TEXT',
    about: 'The component on the screen.',
    missing: 'No event of the stage names one.',
    isCode: true,
  },
  component_type: {
    type: 'TEXT',
    about: 'The type of the component.',
    missing: 'No event of the stage names one.',
    isCode: true,
  },
  medium: {
    type: 'TEXT',
    about: 'The video, image or sound of the component.',
    missing: 'The component shows none, or it is not known.',
    isCode: true,
  },
  start_onset: {
    type: 'REAL',
    about: 'When it began, from the start of the experiment.',
    unit: 'ms',
    missing: 'The event has no onset.',
  },
  end_onset: {
    type: 'REAL',
    about: 'When it ended, from the start of the experiment.',
    unit: 'ms',
    missing: 'It is not known.',
  },
  start_s: {
    type: 'REAL',
    about: 'When it began, from the start of the experiment.',
    unit: 's',
    missing: 'The event has no onset.',
  },
  end_s: {
    type: 'REAL',
    about: 'When it ended, from the start of the experiment.',
    unit: 's',
    missing: 'It is not known.',
  },
  duration_s: { type: 'REAL', about: 'How long it lasted.', unit: 's', missing: 'Its end is not known.' },
  started_at: { type: 'TEXT', about: 'When it began, UTC.', unit: 'ISO 8601, UTC', missing: NEVER },
  ended_at: { type: 'TEXT', about: 'When it ended, UTC.', unit: 'ISO 8601, UTC', missing: 'It is not known.' },
  start_known_by: {
    type: 'TEXT',
    about: 'How its beginning is known.',
    missing: NEVER,
    isCode: true,
    values: {
      event: 'an event says so',
      'first event': 'it is the first of the events that show the stage',
      participation: 'the participant joined a room that was in it already',
    },
  },
  end_known_by: {
    type: 'TEXT',
    about: 'How its end is known.',
    missing: NEVER,
    isCode: true,
    values: {
      event: 'an event says so',
      'next stage': 'the next stage began',
      participation: 'the participant finished',
      room: 'the room was closed',
      'last event': 'the room is over, and no later event is known',
      open: 'it may still last',
    },
  },
  events: { type: 'INTEGER', about: 'How many events of the participant show it.', unit: 'count', missing: NEVER },
} as const;

export const stages = defineDerived({
  name: 'stages',
  about: 'Who was in which state, with which component and medium on the screen, from when to when.',
  row: 'a stay of a participant in a state with one component',
  key: ['room_id', 'participant_id', 'number'],
  of: 'room',
  sources: ['events', 'participants', 'rooms', 'deployment-sessions'],
  commonSources: ['experiment-configs'],
  version: 2,
  columns: COLUMNS,
  rows(db, part) {
    const byPerson = Map.groupBy(eventsOf(db, part), ({ participant_id }) => participant_id);
    const ofRoom = byPerson.get(null) ?? [];
    const planned = plannedIn(db, part.experiment);
    const presences = presencesIn(db, part);
    const room = roomOf(db, part);
    return [...byPerson].flatMap(([person, own]) => {
      if (person === null) return [];
      const presence = presences.get(person) ?? {};
      const stays = staysIn(merged(own, witnessed(ofRoom, presence)));
      return stays.map((stay, i) => {
        const end = endOf(stay, { next: stays[i + 1], finished: presence.until, room });
        return rowOf({ part, person, number: i + 1, planned }, stay, end);
      });
    });
  },
});

const EVENT = {
  event_type: Text,
  component_type: Text,
  component_id: Text,
  state_id: Text,
  state_name: Text,
  data: Members,
};

/** Events that show a state. Those of a room, without a participant, count only if they are about the state itself. */
const SHOWS_STATE =
  "state_id IS NOT NULL AND (participant_id IS NOT NULL OR event_type LIKE 'state.%') AND timestamp IS NOT NULL";

interface Event {
  /** Its place among all events of the part. */
  readonly place: number;
  readonly at: number;
  readonly onset: number | null;
  readonly participant_id: string | null;
  readonly event_type: string | null;
  readonly component_type: string | null;
  readonly component_id: string | null;
  readonly state_id: string | null;
  readonly state_name: string | null;
  readonly data: JsonObject;
  /** The state had begun before the participant joined, and this is when they did. */
  readonly isJoining?: true;
}

function eventsOf(db: Database, part: Part): Event[] {
  const rows = rowsOf(db, 'events', part, { shape: EVENT, where: SHOWS_STATE });
  return rows.map((row, place) => ({ ...row, place, at: Date.parse(row.timestamp ?? '') }));
}

/** Two lists of events in their common order. */
function merged(events: readonly Event[], others: readonly Event[]): readonly Event[] {
  return others.length === 0 ? events : [...events, ...others].sort((a, b) => a.place - b.place);
}

/** From when to when somebody took part, as far as that is known. */
interface Presence {
  readonly from?: number;
  readonly until?: number;
}

/** The events of the room that concern somebody who was there for a part of the time. */
function witnessed(ofRoom: readonly Event[], { from = -Infinity, until = Infinity }: Presence): Event[] {
  const found = ofRoom.findLast(({ at }) => at < from);
  const isIn = found !== undefined && BEGINS.test(found.event_type ?? '');
  return [
    ...(isIn ? [{ ...found, ...momentAt(from, found), isJoining: true as const }] : []),
    ...ofRoom.filter(({ at }) => at >= from && at <= until),
  ];
}

/** Event types that begin or end a stay; HyperStudy documents only their first word. */
const BEGINS = /^(state|component)\.(enter|entered|start|started|begin|view|viewed|show|shown)$/;
const ENDS = /^state\.(exit|exited|end|ended|complete|completed|leave|left|timeout)$/;

/** A stay as its events show it. */
interface Stay {
  readonly events: readonly [Event, ...Event[]];
  /** The component that an event brought onto the screen. */
  readonly component: Event | undefined;
  readonly end: Event | undefined;
}

/** Cuts the events of one participant into stays. */
function staysIn(events: readonly Event[]): Stay[] {
  const stays: Stay[] = [];
  for (const event of events) {
    const begins = BEGINS.test(event.event_type ?? '');
    const component = begins && event.component_id !== null ? event : undefined;
    const end = ENDS.test(event.event_type ?? '') ? event : undefined;
    const current = stays.at(-1);
    if (current === undefined || isAnother(current, { event, begins, component })) {
      stays.push({ events: [event], component, end });
    } else {
      const events: Stay['events'] = [...current.events, event];
      stays[stays.length - 1] = { events, component: current.component ?? component, end: current.end ?? end };
    }
  }
  return stays;
}

/** Whether an event belongs to another stay than the last one: another state, another component, or a return. */
function isAnother(
  { events, component, end }: Stay,
  next: { event: Event; begins: boolean; component: Event | undefined },
): boolean {
  if (events[0].state_id !== next.event.state_id) return true;
  if (!next.begins) return false;
  if (end !== undefined) return true;
  return (
    next.component !== undefined && component !== undefined && next.component.component_id !== component.component_id
  );
}

type Moment = Pick<Event, 'at' | 'onset'>;

interface Ended {
  readonly by: 'event' | 'next stage' | 'participation' | 'room' | 'last event' | 'open';
  readonly at?: Moment;
}

/** When a stay ended, and how that is known. */
function endOf(
  { events, end }: Stay,
  after: { next: Stay | undefined; finished: number | undefined; room: Room },
): Ended {
  const last = events.at(-1) ?? events[0];
  if (end !== undefined) return { by: 'event', at: end };
  if (after.next !== undefined) return { by: 'next stage', at: after.next.events[0] };
  const later = (at: number | undefined) => (at === undefined || at < last.at ? undefined : momentAt(at, last));
  const finished = later(after.finished);
  if (finished !== undefined) return { by: 'participation', at: finished };
  const closed = later(after.room.endedAt);
  if (closed !== undefined) return { by: 'room', at: closed };
  return after.room.isOver ? { by: 'last event', at: last } : { by: 'open' };
}

/** A time beside an event of which the onset is known. */
function momentAt(at: number, { at: knownAt, onset }: Moment): Moment {
  return { at, onset: onset === null ? null : onset + (at - knownAt) };
}

interface Room {
  readonly isOver: boolean;
  readonly endedAt: number | undefined;
}

/** What the lists of rooms say of a part's room; nothing of what is in no room. */
function roomOf(db: Database, { experiment, room }: Part): Room {
  const sql = `SELECT status, ended_at FROM rooms WHERE experiment_id = @experiment AND id = @room
    UNION ALL SELECT status, ended_at FROM deployment_sessions WHERE experiment_id = @experiment AND id = @room`;
  const rows = queryRows(db, sql, z.object({ status: Text, ended_at: Text })).all({ experiment, room });
  const ended = rows.flatMap(({ ended_at }) => (ended_at === null ? [] : Date.parse(ended_at)));
  return {
    isOver: ended.length > 0 || rows.some(({ status }) => status !== null && isOver(status)),
    endedAt: ended.at(0),
  };
}

/** When each participant of a part joined and finished, as far as that is known. */
function presencesIn(db: Database, part: Part): ReadonlyMap<string, Presence> {
  const within = WITHIN[scopeOf(part)].replace('participant_id', 'id');
  const sql = `SELECT id, joined_at, completed_at FROM participants WHERE ${within} AND id IS NOT NULL ORDER BY key DESC`;
  const rows = queryRows(db, sql, z.object({ id: z.string(), joined_at: Text, completed_at: Text })).all(named(part));
  return new Map(
    rows.map(({ id, joined_at, completed_at }) => [
      id,
      {
        ...(joined_at === null ? {} : { from: Date.parse(joined_at) }),
        ...(completed_at === null ? {} : { until: Date.parse(completed_at) }),
      },
    ]),
  );
}

/** Names under which the events of a medium may say which it is. */
const MEDIUM = ['mediaId', 'videoId', 'imageId', 'audioId', 'stimulusId', 'mediaUrl', 'videoUrl', 'url', 'src'];

/** The component of a stay: the one that an event showed, the only one that its events name, or the planned one. */
function componentOf({ component, events }: Stay, planned: readonly Planned[]) {
  const named = new Map(events.flatMap((event) => (event.component_id === null ? [] : [[event.component_id, event]])));
  const shown = component ?? (named.size === 1 ? [...named.values()][0] : undefined);
  const ofState = planned.filter(({ part, state_id }) => part === 'state' && state_id === events[0].state_id);
  const plan =
    ofState.find(({ component_id }) => shown === undefined || component_id === shown.component_id) ?? undefined;
  return {
    component_id: shown?.component_id ?? plan?.component_id ?? null,
    component_type: shown?.component_type ?? plan?.component_type ?? null,
    medium: events.map(({ data }) => textIn(data, ...MEDIUM)).find((medium) => medium !== null) ?? plan?.medium ?? null,
  };
}

function rowOf(
  { part, person, number, planned }: { part: Part; person: string; number: number; planned: readonly Planned[] },
  stay: Stay,
  end: Ended,
) {
  const [first] = stay.events;
  const seconds = (onset: number | null | undefined) => (onset === null || onset === undefined ? null : onset / 1000);
  return {
    experiment_id: part.experiment,
    room_id: part.room,
    participant_id: person,
    number,
    state_id: first.state_id,
    state_name:
      stay.events.find(({ state_name }) => state_name !== null)?.state_name ??
      planned.find(({ state_id }) => state_id === first.state_id)?.state_name ??
      null,
    ...componentOf(stay, planned),
    start_onset: first.onset,
    end_onset: end.at?.onset ?? null,
    start_s: seconds(first.onset),
    end_s: seconds(end.at?.onset),
    duration_s:
      end.at === undefined
        ? null
        : (end.at.onset === null || first.onset === null ? end.at.at - first.at : end.at.onset - first.onset) / 1000,
    started_at: timeText(first.at),
    ended_at: timeText(end.at?.at),
    start_known_by:
      first.isJoining === true ? 'participation' : BEGINS.test(first.event_type ?? '') ? 'event' : 'first event',
    end_known_by: end.by,
    events: stay.events.filter(({ participant_id }) => participant_id === person).length,
  };
}
