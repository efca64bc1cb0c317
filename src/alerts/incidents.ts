import { z } from 'zod';
import { cleanLine } from '../shared/clean-text.ts';
import { formatDuration, formatMinute, DAY_MS, HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import type { Issue } from '../status/issue.ts';
import { affectedText } from '../status/words.ts';
import { conditionsIn, type Condition } from './conditions.ts';
import { currentKind, kindOf } from './kinds.ts';

/** A message to one channel. */
export interface Message {
  /** The alert that it is about. */
  readonly alert: string;
  readonly state: 'problem' | 'reminder' | 'recovered' | 'test';
  /** The kind of issue: `key-refused`, or `test`. */
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
  /** When it was first seen to be over; it may still come back. */
  goneAt: time.optional(),
  /** The alert that it belongs to, once one is raised. */
  alert: z.string().optional(),
});

const alertSchema = z.object({
  key: z.string(),
  kind: z.string().transform(currentKind),
  subject: z.string(),
  ended: z.string(),
  since: time,
  /** When a message of it was last delivered; absent if none was. */
  toldAt: time.optional(),
  /** When the last of its conditions ended. */
  endedAt: time.optional(),
  /** Sent once, never repeated and never over. */
  once: z.boolean().optional(),
});

const stateSchema = z.object({ members: z.array(memberSchema), alerts: z.array(alertSchema) });

type Member = Readonly<z.output<typeof memberSchema>>;
type Alert = Readonly<z.output<typeof alertSchema>>;

/** What one channel was sent and what may be sent next. Plain JSON, as it is stored across restarts. */
export interface AlertState {
  readonly members: readonly Member[];
  readonly alerts: readonly Alert[];
}

export const NOTHING_SENT: AlertState = { members: [], alerts: [] };

const storeSchema = z.object({ channels: z.array(z.object({ channel: z.string(), state: stateSchema })) });

/** The states of all channels from their stored text; a text that cannot be read counts as empty. */
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

/** A condition that ends and returns within this time counts as the same. */
const GRACE_MS = 5 * MINUTE_MS;
const REMIND_MS = DAY_MS;
/** The most streams that a message names. */
const MOST_NAMED = 20;
/** A message that is sent only once waits until nothing was added for this long, but no longer than a day. */
const SETTLED_MS = HOUR_MS;

/**
 * The messages that a channel is due now. The new state does not count them as delivered: call `delivered` for each one
 * that was; the others are due again at the next check.
 * @param now in milliseconds since 1970 UTC.
 * @param afterMs how long a condition has to last before an alert is sent, unless that is done at once.
 */
export function decide(
  issues: readonly Issue[],
  state: AlertState,
  now: number,
  afterMs: number,
): { readonly state: AlertState; readonly messages: readonly Message[] } {
  const holding = conditionsIn(issues);
  const seen = raise(observe(holding, notAfter(state, now), now), holding, now, afterMs);
  // An alert that was never delivered ends without a message.
  const wasDelivered = ({ toldAt, once }: Alert) => toldAt !== undefined && once !== true;
  const alerts = seen.alerts.filter((alert) => wasDelivered(alert) || hasMembers(seen, alert));
  return {
    state: { ...seen, alerts },
    messages: alerts.flatMap((alert) => due(seen, alert, holding, now) ?? []),
  };
}

/** The state after a message was delivered. */
export function delivered(state: AlertState, message: Message): AlertState {
  const alerts = state.alerts.flatMap((alert) => {
    if (alert.key !== message.alert) return [alert];
    return message.state === 'recovered' ? [] : [{ ...alert, toldAt: message.at }];
  });
  return { ...state, alerts };
}

/** After the clock was set back nothing must wait until the time that it showed before. */
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

/**
 * Updates the members to the conditions that hold now: adds new ones, and drops those that have been over for a while.
 */
function observe(holding: ReadonlyMap<string, Condition>, state: AlertState, now: number): AlertState {
  const isOver = ({ goneAt }: Member) => goneAt !== undefined && now - goneAt >= GRACE_MS;
  // A condition without an alert that returns counts as new; one with an alert continues.
  const before = new Map(
    state.members
      .filter((member) => member.alert !== undefined || !isOver(member))
      .map((member) => [member.id, member]),
  );
  const open = new Set(state.alerts.map(({ key }) => key));
  const present = [...holding.values()].flatMap(({ id, group, since = now, isSuppressed }): Member[] => {
    const known = before.get(id);
    if (isSuppressed && known?.alert === undefined) return [];
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

/** Raises an alert for each group with a condition that has lasted long enough; the others of the group join it. */
function raise(state: AlertState, holding: ReadonlyMap<string, Condition>, now: number, afterMs: number): AlertState {
  const waiting = state.members.filter(({ alert, goneAt }) => alert === undefined && goneAt === undefined);
  const waitsMs = { 'at once': 0, 'when it lasts': afterMs, 'after a day': DAY_MS, once: 0, never: Infinity };
  const isDue = ({ id, since }: Member) => now - since >= waitsMs[holding.get(id)?.issue.alert ?? 'never'];
  const raised = new Map<string, Alert>();
  for (const { group, id } of waiting.filter(isDue)) {
    const issue = holding.get(id)?.issue;
    if (issue === undefined || raised.has(group)) continue;
    const since = Math.min(...waiting.filter((member) => member.group === group).map((member) => member.since));
    const { code, subject, ended, alert } = issue;
    const once = alert === 'once' ? { once: true } : {};
    raised.set(group, { key: group, kind: kindOf(code), subject, ended, since, ...once });
  }
  const joins = ({ alert, goneAt, group }: Member) => alert === undefined && goneAt === undefined && raised.has(group);
  const members = state.members.map((member) => (joins(member) ? { ...member, alert: member.group } : member));
  return { members, alerts: [...state.alerts, ...raised.values()] };
}

function hasMembers({ members }: AlertState, { key }: Alert): boolean {
  return members.some(({ alert }) => alert === key);
}

/** The message that is due for an alert now, if any. */
function due(
  state: AlertState,
  alert: Alert,
  holding: ReadonlyMap<string, Condition>,
  now: number,
): Message | undefined {
  if (!hasMembers(state, alert)) return recovered(alert, now);
  const { toldAt = -Infinity, once = false } = alert;
  if (now - toldAt < REMIND_MS) return undefined;
  const members = state.members.filter((member) => member.alert === alert.key && (!once || member.since > toldAt));
  if (once && !isSettled(members, now)) return undefined;
  const held = members.flatMap(({ id }) => holding.get(id) ?? []).filter(({ isSuppressed }) => !isSuppressed);
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

/** Whether all conditions of one cause have probably been found: the server derives one stream after the other. */
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

/** What is wrong: each cause once, with what it affects. */
function explain(held: readonly Condition[]): string {
  const ids = new Set(held.map(({ id }) => id));
  const issues = [...new Set(held.map(({ issue }) => issue))];
  return issues
    .map((issue) => {
      const streams = (issue.scope.streams ?? []).filter(({ id }) => ids.has(id));
      const affected = affectedText({ scope: { ...issue.scope, streams } }, MOST_NAMED);
      return [issue.text, affected]
        .filter((line) => line !== '')
        .map(cleanLine)
        .join('\n');
    })
    .join('\n\n');
}

function agoText(ms: number): string {
  return ms < MINUTE_MS ? 'just now' : `${formatDuration(ms)} ago`;
}
