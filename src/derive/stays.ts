import { timeText, type Timed } from './moment.ts';

/** An event that shows in which state a participant was. */
export interface StageEvent extends Timed {
  readonly at: number;
  readonly event_type: string | null;
  readonly component_type: string | null;
  readonly component_id: string | null;
  readonly state_id: string | null;
  readonly state_name: string | null;
  readonly participant_id: string | null;
  readonly data: string | null;
  /** The state had begun before the participant joined, and this is when they did. */
  readonly isJoining?: true;
}

/** From when to when someone took part, as far as that is known. */
export interface Presence {
  readonly from?: number;
  readonly until?: number;
}

/** The events of the room that concern someone who was there for a part of the time. */
export function witnessed(
  ofRoom: readonly StageEvent[],
  { from = -Infinity, until = Infinity }: Presence,
): StageEvent[] {
  const found = ofRoom.findLast(({ at }) => at < from);
  const isIn = found !== undefined && BEGINS.test(found.event_type ?? '');
  const joining = isIn ? { ...found, ...momentAt(from, found), timestamp: timeText(from) } : undefined;
  return [
    ...(joining === undefined ? [] : [{ ...joining, isJoining: true as const }]),
    ...ofRoom.filter(({ at }) => at >= from && at <= until),
  ];
}

/** Event types that begin or end a stay; HyperStudy documents only their first word. */
const BEGINS = /^(state|component)\.(enter|entered|start|started|begin|view|viewed|show|shown)$/;
const ENDS = /^state\.(exit|exited|end|ended|complete|completed|leave|left|timeout)$/;

/** A stay in a state with one component, as its events show it. */
export interface Stay {
  readonly events: readonly StageEvent[];
  readonly first: StageEvent;
  readonly last: StageEvent;
  /** The event that brought the component onto the screen. */
  readonly shown: StageEvent | undefined;
  readonly end: StageEvent | undefined;
}

/** Cuts the events of one participant into stays. */
export function staysIn(events: readonly StageEvent[]): Stay[] {
  const cuts: { from: number; shown: StageEvent | undefined; end: StageEvent | undefined }[] = [];
  for (const [i, event] of events.entries()) {
    const begins = BEGINS.test(event.event_type ?? '');
    const shown = begins && event.component_id !== null ? event : undefined;
    const end = ENDS.test(event.event_type ?? '') ? event : undefined;
    const current = cuts.at(-1);
    const isSame = current !== undefined && events[current.from]?.state_id === event.state_id;
    if (!isSame || (begins && isAnother(current, shown))) cuts.push({ from: i, shown, end });
    else {
      current.shown ??= shown;
      current.end ??= end;
    }
  }
  return cuts.flatMap(({ from, shown, end }, i) => {
    const own = events.slice(from, cuts[i + 1]?.from);
    const [first, last] = [own.at(0), own.at(-1)];
    return first === undefined || last === undefined ? [] : [{ events: own, first, last, shown, end }];
  });
}

/** Whether an event that begins a stay in the same state begins another one: a return, or another component. */
function isAnother({ shown, end }: Pick<Stay, 'shown' | 'end'>, next: StageEvent | undefined): boolean {
  if (end !== undefined) return true;
  return next !== undefined && shown !== undefined && next.component_id !== shown.component_id;
}

type Moment = Pick<StageEvent, 'at' | 'onset'>;

export interface Ended {
  readonly by: 'event' | 'next stage' | 'participation' | 'room' | 'last event' | 'open';
  readonly at?: Moment;
}

/** What is known of a room's end. */
export interface RoomEnd {
  readonly isOver: boolean;
  readonly endedAt: number | undefined;
}

/** When a stay ended, and how that is known. */
export function endOf(
  { last, end }: Stay,
  after: { next: Stay | undefined; finished: number | undefined; room: RoomEnd },
): Ended {
  if (end !== undefined) return { by: 'event', at: end };
  if (after.next !== undefined) return { by: 'next stage', at: after.next.first };
  const later = (at: number | undefined) => (at === undefined || at < last.at ? undefined : momentAt(at, last));
  const finished = later(after.finished);
  if (finished !== undefined) return { by: 'participation', at: finished };
  const closed = later(after.room.endedAt);
  if (closed !== undefined) return { by: 'room', at: closed };
  return after.room.isOver ? { by: 'last event', at: last } : { by: 'open' };
}

/** How the beginning of a stay is known. */
export function startKnownBy({ first }: Stay): 'event' | 'first event' | 'participation' {
  if (first.isJoining === true) return 'participation';
  return BEGINS.test(first.event_type ?? '') ? 'event' : 'first event';
}

/** A time beside an event of which the onset is known. */
function momentAt(at: number, { at: knownAt, onset }: Moment): Moment {
  return { at, onset: onset === null ? null : onset + (at - knownAt) };
}
