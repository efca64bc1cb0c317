import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { events as eventsData } from '../datasets/events.ts';
import { isOpen, isOver } from '../datasets/room-status.ts';
import { queryRows } from '../shared/sqlite.ts';
import { code, count, rank, real, time, unixTime, WHOSE } from './columns.ts';
import { defineDerived, type Part } from './define.ts';
import { plannedIn, type Planned } from './design.ts';
import { inOrder, secondsOf, timeText } from './moment.ts';
import { SHOWS_STATE, type PartEvent } from './part-events.ts';
import { happened, membersOf, named, PLACED, roomWideRows, Text, textIn, within } from './source.ts';
import {
  endOf,
  startKnownBy,
  staysIn,
  witnessed,
  type Ended,
  type StageEvent,
  type Presence,
  type RoomEnd,
  type Stay,
} from './stays.ts';

const COLUMNS = {
  ...WHOSE,
  number: rank('The place in the order of the participant, from 1.'),
  state_id: code('The state.'),
  state_name: code('The name of the state.', { missing: 'The state has none, or is not known.' }),
  component_id: code('The component on the screen.', { missing: 'No event of the stage names one.' }),
  component_type: code('The type of the component.', { missing: 'No event of the stage names one.' }),
  medium: code('The video, image or sound of the component.', {
    missing: 'The component shows none, or it is not known.',
  }),
  start_onset: real('When it began, from the start of the experiment.', {
    privacy: 'none',
    unit: 'ms',
    missing: 'The event has no onset.',
  }),
  end_onset: real('When it ended, from the start of the experiment.', {
    privacy: 'none',
    unit: 'ms',
    missing: 'It is not known.',
  }),
  start_s: real('When it began, from the start of the experiment.', {
    privacy: 'none',
    unit: 's',
    missing: 'The event has no onset.',
  }),
  end_s: real('When it ended, from the start of the experiment.', {
    privacy: 'none',
    unit: 's',
    missing: 'It is not known.',
  }),
  duration_s: real('How long it lasted.', { privacy: 'none', unit: 's', missing: 'Its end is not known.' }),
  started_at: time('When it began, UTC.', { privacy: 'indirect' }),
  started_unix: unixTime('When it began.', { privacy: 'indirect' }),
  ended_at: time('When it ended, UTC.', { privacy: 'indirect', missing: 'It is not known.' }),
  ended_unix: unixTime('When it ended.', { privacy: 'indirect', missing: 'It is not known.' }),
  start_known_by: code('How its beginning is known.', {
    values: {
      event: 'an event says so',
      'first event': 'it is the first of the events that show the stage',
      participation: 'the participant joined a room that was in it already',
    },
  }),
  end_known_by: code('How its end is known.', {
    values: {
      event: 'an event says so',
      'next stage': 'the next stage began',
      participation: 'the participant finished',
      room: 'the room was closed',
      'last event': 'the room is over, and no later event is known',
      open: 'it may still last',
    },
  }),
  events: count('How many events of the participant show it.'),
} as const;

export const stages = defineDerived({
  name: 'stages',
  about: 'Who was in which state, with which component and medium on the screen, from when to when.',
  row: 'a stay of a participant in a state with one component',
  key: ['room_id', 'participant_id', 'number'],
  of: 'room',
  sources: ['events', 'participants', 'rooms', 'deployment-sessions'],
  roomWide: ['events', 'rooms', 'deployment-sessions'],
  commonSources: ['experiment-configs'],
  version: 3,
  columns: COLUMNS,
  rows(db, part, events) {
    const byPerson = Map.groupBy(shownIn(events()), ({ participant_id }) => participant_id ?? '');
    const ofRoom = roomWideRows(db, eventsData, part, { type: Shown, where: SHOWS_STATE }).map(withTime);
    if (byPerson.size + ofRoom.length === 0) return [];
    const planned = plannedIn(db, part.experiment);
    const presences = presencesIn(db, part);
    const room = roomOf(db, part);
    // Who is listed saw the states of the room, also where no event of theirs names one.
    const people = new Set([...byPerson.keys(), ...(ofRoom.length === 0 ? [] : presences.keys())]);
    return [...people].flatMap((person) => {
      const [own, presence] = [byPerson.get(person) ?? [], presences.get(person) ?? {}];
      const shared = witnessed(ofRoom, presence);
      const stays = staysIn(shared.length === 0 ? own : inOrder([...own, ...shared]));
      return stays.map((stay, i) => {
        const end = endOf(stay, { next: stays[i + 1], finished: presence.until, room });
        return rowOf({ part, person, number: i + 1, planned }, stay, end);
      });
    });
  },
});

const Shown = z.object({
  ...PLACED,
  event_type: Text,
  component_type: Text,
  component_id: Text,
  state_id: Text,
  state_name: Text,
  data: Text,
});

function shownIn(events: readonly PartEvent[]): StageEvent[] {
  return happened(events.filter(({ shows_state }) => shows_state === 1)).map(withTime);
}

function withTime<Event extends z.infer<typeof Shown>>(event: Event): Event & { readonly at: number } {
  return { ...event, at: Date.parse(event.timestamp ?? '') };
}

const RoomEnds = z.object({ status: Text, ended_at: Text });

/** What the lists of rooms say of a part's room; nothing of what is in no room. */
function roomOf(db: Database, { experiment, room }: Part): RoomEnd {
  const sql = `SELECT status, ended_at FROM rooms WHERE +experiment_id = @experiment AND id = @room
    UNION ALL SELECT status, ended_at FROM deployment_sessions WHERE +experiment_id = @experiment AND id = @room`;
  const rows = queryRows(db, sql, RoomEnds).all({ experiment, room });
  const isSaidOver = rows.some(({ status }) => status !== null && isOver(status));
  // A room that was opened again keeps the time at which it had ended.
  if (!isSaidOver && rows.some(({ status }) => status !== null && isOpen(status)))
    return { isOver: false, endedAt: undefined };
  const ended = rows.flatMap(({ ended_at }) => (ended_at === null ? [] : Date.parse(ended_at)));
  return { isOver: isSaidOver || ended.length > 0, endedAt: ended.at(0) };
}

const Present = z.object({ id: z.string(), joined_at: Text, completed_at: Text });

/** When each participant of a part joined and finished, as far as that is known. */
function presencesIn(db: Database, part: Part): ReadonlyMap<string, Presence> {
  const sql = `SELECT id, joined_at, completed_at FROM participants
    WHERE ${within(part, 'id')} AND id IS NOT NULL ORDER BY key DESC`;
  const rows = queryRows(db, sql, Present).all(named(part));
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
function componentOf({ shown, events, first }: Stay, planned: readonly Planned[]) {
  const named = new Map(events.flatMap((event) => (event.component_id === null ? [] : [[event.component_id, event]])));
  const found = shown ?? (named.size === 1 ? [...named.values()][0] : undefined);
  const ofState = planned.filter(({ part, state_id }) => part === 'state' && state_id === first.state_id);
  const plan = ofState.find(({ component_id }) => found === undefined || component_id === found.component_id);
  return {
    component_id: found?.component_id ?? plan?.component_id ?? null,
    component_type: found?.component_type ?? plan?.component_type ?? null,
    medium: mediumIn(events) ?? plan?.medium ?? null,
  };
}

function mediumIn(events: readonly StageEvent[]): string | null {
  for (const { data } of events) {
    const medium = data === null ? null : textIn(membersOf(data), ...MEDIUM);
    if (medium !== null) return medium;
  }
  return null;
}

function rowOf(
  { part, person, number, planned }: { part: Part; person: string; number: number; planned: readonly Planned[] },
  stay: Stay,
  end: Ended,
) {
  const { first } = stay;
  const [started_at, ended_at] = [timeText(first.at), timeText(end.at?.at)];
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
    started_at,
    started_unix: secondsOf(started_at),
    ended_at,
    ended_unix: secondsOf(ended_at),
    start_known_by: startKnownBy(stay),
    end_known_by: end.by,
    events: stay.events.filter(({ participant_id }) => participant_id === person).length,
  };
}
