import { z } from 'zod';
import { formatDuration, formatMinute, DAY_MS, HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import type { Issue } from '../status/issue.ts';
import { affectedText } from '../status/words.ts';
import { heldIn, type Held } from './held.ts';
import { currentKind, kindOf } from './kinds.ts';

/** What is told, once, through one channel. */
export interface Message {
  /** The alert that it is about. */
  readonly alert: string;
  readonly state: 'problem' | 'reminder' | 'recovered' | 'test';
  /** What kind of issue it is about: `key-refused`, or `test`. */
  readonly kind: string;
  readonly subject: string;
  readonly text: string;
  readonly hint: string;
  /** When it was made, in milliseconds since 1970 UTC. */
  readonly at: number;
}

/** Milliseconds since 1970 UTC. */
const time = z.number().min(0);

const memberSchema = z.object({
  id: z.string(),
  group: z.string(),
  since: time,
  /** When it was first seen to be over; it may yet come back. */
  goneAt: time.optional(),
  /** The alert that it belongs to, once it is due. */
  alert: z.string().optional(),
});

const alertSchema = z.object({
  key: z.string(),
  kind: z.string().transform(currentKind),
  subject: z.string(),
  ended: z.string(),
  since: time,
  /** When it was last told; never, as long as no delivery succeeded. */
  toldAt: time.optional(),
  /** When the last of what it told of ended. */
  endedAt: time.optional(),
  /** News: told, never repeated and never over. */
  once: z.boolean().optional(),
});

const stateSchema = z.object({ members: z.array(memberSchema), alerts: z.array(alertSchema) });

type Member = Readonly<z.output<typeof memberSchema>>;
type Alert = Readonly<z.output<typeof alertSchema>>;

/** What one channel was told and what it may be told next. Plain JSON, so that it outlives a restart. */
export interface AlertState {
  readonly members: readonly Member[];
  readonly alerts: readonly Alert[];
}

export const NOTHING_TOLD: AlertState = { members: [], alerts: [] };

const storeSchema = z.object({ channels: z.array(z.object({ channel: z.string(), state: stateSchema })) });

/** The states of all channels from their stored text; what cannot be read counts as empty. */
export function parseStates(text: string | undefined): Map<string, AlertState> {
  try {
    const { channels } = storeSchema.parse(JSON.parse(text ?? ''));
    return new Map(channels.map(({ channel, state }) => [channel, state]));
  } catch {
    return new Map();
  }
}

export function formatStates(states: ReadonlyMap<string, AlertState>): string {
  return JSON.stringify({ channels: [...states].map(([channel, state]) => ({ channel, state })) });
}

/** What ends and returns within this time is the same. */
const GRACE_MS = 5 * MINUTE_MS;
const REMIND_MS = DAY_MS;
/** Streams that a message names. */
const MOST_NAMED = 20;
/** News is told once nothing was added to it for so long, but no later than a day after it began. */
const SETTLED_MS = HOUR_MS;

/**
 * What a channel has to be told now. The new state does not count the messages as told: `told` does that with each one
 * that was delivered, and those that were not come again at the next check.
 * @param now in milliseconds since 1970 UTC.
 * @param afterMs how long what is not told at once lasts before it is.
 */
export function decide(
  issues: readonly Issue[],
  state: AlertState,
  now: number,
  afterMs: number,
): { readonly state: AlertState; readonly messages: readonly Message[] } {
  const holding = heldIn(issues);
  const seen = raise(observe(holding, notAfter(state, now), now), holding, now, afterMs);
  // An alert that nobody heard of ends unheard.
  const isTold = ({ toldAt, once }: Alert) => toldAt !== undefined && once !== true;
  const alerts = seen.alerts.filter((alert) => isTold(alert) || hasMembers(seen, alert));
  return {
    state: { ...seen, alerts },
    messages: alerts.flatMap((alert) => due(seen, alert, holding, now) ?? []),
  };
}

/** The state after a message was delivered. */
export function told(state: AlertState, message: Message): AlertState {
  const alerts = state.alerts.flatMap((alert) => {
    if (alert.key !== message.alert) return [alert];
    return message.state === 'recovered' ? [] : [{ ...alert, toldAt: message.at }];
  });
  return { ...state, alerts };
}

/** A clock that was set back must not make anything wait for the time that it showed before. */
function notAfter({ members, alerts }: AlertState, now: number): AlertState {
  const clamp = (time: number | undefined) => (time === undefined ? undefined : Math.min(time, now));
  return {
    members: members.map((member) => ({
      ...member,
      since: Math.min(member.since, now),
      goneAt: clamp(member.goneAt),
    })),
    alerts: alerts.map((alert) => ({
      ...alert,
      since: Math.min(alert.since, now),
      toldAt: clamp(alert.toldAt),
      endedAt: clamp(alert.endedAt),
    })),
  };
}

/** Brings the members up to what holds now: new ones come in, and those that have been over for a while go. */
function observe(holding: ReadonlyMap<string, Held>, state: AlertState, now: number): AlertState {
  const isOver = ({ goneAt }: Member) => goneAt !== undefined && now - goneAt >= GRACE_MS;
  // Nothing was told of what came and went, so that its return is a beginning; what was told simply goes on.
  const before = new Map(
    state.members
      .filter((member) => member.alert !== undefined || !isOver(member))
      .map((member) => [member.id, member]),
  );
  const open = new Set(state.alerts.map(({ key }) => key));
  const present = [...holding.values()].flatMap(({ id, group, since = now, isQuiet }): Member[] => {
    const known = before.get(id);
    if (isQuiet && known?.alert === undefined) return [];
    const alert = known?.alert ?? (open.has(group) ? group : undefined);
    return [{ id, group, since: Math.max(Math.min(known?.since ?? now, since), 0), alert }];
  });
  const held = new Set(present.map(({ id }) => id));
  const gone = state.members
    .filter(({ id }) => !held.has(id))
    .map((member) => ({ ...member, goneAt: member.goneAt ?? now }));
  const alerts = state.alerts.map((alert) => {
    const ends = gone.filter((member) => member.alert === alert.key && isOver(member)).map(({ goneAt }) => goneAt);
    return ends.length === 0 ? alert : { ...alert, endedAt: Math.max(alert.endedAt ?? 0, ...ends) };
  });
  return { members: [...present, ...gone.filter((member) => !isOver(member))], alerts };
}

/** Makes an alert of each group of which something has lasted long enough; the others of the group join it. */
function raise(state: AlertState, holding: ReadonlyMap<string, Held>, now: number, afterMs: number): AlertState {
  const waiting = state.members.filter(({ alert, goneAt }) => alert === undefined && goneAt === undefined);
  const waitsMs = { 'at once': 0, 'when it lasts': afterMs, 'after a day': DAY_MS, 'as news': 0, never: Infinity };
  const isDue = ({ id, since }: Member) => now - since >= waitsMs[holding.get(id)?.issue.alert ?? 'never'];
  const raised = new Map<string, Alert>();
  for (const { group, id } of waiting.filter(isDue)) {
    const issue = holding.get(id)?.issue;
    if (issue === undefined || raised.has(group)) continue;
    const since = Math.min(...waiting.filter((member) => member.group === group).map((member) => member.since));
    const { code, subject, ended, alert } = issue;
    const once = alert === 'as news' ? { once: true } : {};
    raised.set(group, { key: group, kind: kindOf(code), subject, ended, since, ...once });
  }
  const joins = ({ alert, goneAt, group }: Member) => alert === undefined && goneAt === undefined && raised.has(group);
  const members = state.members.map((member) => (joins(member) ? { ...member, alert: member.group } : member));
  return { members, alerts: [...state.alerts, ...raised.values()] };
}

function hasMembers({ members }: AlertState, { key }: Alert): boolean {
  return members.some(({ alert }) => alert === key);
}

/** The message that an alert calls for now, if any. */
function due(state: AlertState, alert: Alert, holding: ReadonlyMap<string, Held>, now: number): Message | undefined {
  if (!hasMembers(state, alert)) return recovered(alert, now);
  const { toldAt = -Infinity, once = false } = alert;
  if (now - toldAt < REMIND_MS) return undefined;
  const members = state.members.filter((member) => member.alert === alert.key && (!once || member.since > toldAt));
  if (once && !isSettled(members, now)) return undefined;
  const held = members.flatMap(({ id }) => holding.get(id) ?? []).filter(({ isQuiet }) => !isQuiet);
  const [first] = held;
  if (first === undefined) return undefined;
  const isNew = alert.toldAt === undefined || once;
  const began = `\n\nThis began at ${formatMinute(alert.since)}, ${agoText(now - alert.since)}.`;
  return {
    alert: alert.key,
    state: isNew ? 'problem' : 'reminder',
    kind: alert.kind,
    subject: `${isNew ? '' : 'Still: '}${alert.subject}`,
    text: `${explain(held)}${once ? '' : began}`,
    hint: first.issue.hint,
    at: now,
  };
}

/** Whether all the news of one cause has probably come: the server derives stream after stream. */
function isSettled(members: readonly Member[], now: number): boolean {
  const times = members.map(({ since }) => since);
  return now - Math.max(...times) >= SETTLED_MS || now - Math.min(...times) >= DAY_MS;
}

function recovered({ key, kind, subject, ended, since, endedAt }: Alert, now: number): Message {
  const end = endedAt ?? now;
  return {
    alert: key,
    state: 'recovered',
    kind,
    subject: `${ended}, after ${formatDuration(end - since)}`,
    text: `This is over: ${subject}. It began at ${formatMinute(since)} and ended at ${formatMinute(end)}.`,
    hint: 'You need not do anything.',
    at: now,
  };
}

/** What is wrong, each cause once, with what it affects. */
function explain(held: readonly Held[]): string {
  const ids = new Set(held.map(({ id }) => id));
  const issues = [...new Set(held.map(({ issue }) => issue))];
  return issues
    .map((issue) => {
      const streams = (issue.scope.streams ?? []).filter(({ id }) => ids.has(id));
      const affected = affectedText({ scope: { streams } }, MOST_NAMED);
      return affected === '' ? issue.text : `${issue.text}\n${affected}`;
    })
    .join('\n\n');
}

function agoText(ms: number): string {
  return ms < MINUTE_MS ? 'just now' : `${formatDuration(ms)} ago`;
}
