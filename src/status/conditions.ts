import type { Condition } from './condition.ts';
import { formatDuration, MINUTE_MS } from '../shared/time.ts';
import type { StoredPosition } from '../warehouse/positions.ts';
import { expiryOf, latestRead } from './expiry.ts';
import { listCondition, streamConditions, type StreamFacts } from './stream-conditions.ts';

/** What is known at one moment. Times are milliseconds since 1970 UTC. */
export interface Facts extends StreamFacts {
  /** Of the streams that are configured. */
  readonly positions: readonly StoredPosition[];
  /** As the configuration says. */
  readonly keyExpiresAt?: number | undefined;
  /** Of the disk that holds the warehouse. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** The rooms that run now, and when the last row of each came. */
  readonly liveRooms: readonly LiveRoom[];
  readonly now: number;
}

export interface LiveRoom {
  readonly experimentId: string;
  readonly room: string;
  readonly lastRowAt: number | undefined;
  readonly startedAt: number;
  /** Until when everything that it sends was read: later silence may be ours. Undefined where something never was. */
  readonly readTo: number | undefined;
}

/** A live room that sends nothing for so long is worth a look. */
const SILENCE_MS = 10 * MINUTE_MS;
/** A disk that was short of space counts as such until it has this much more than the threshold. */
const DISK_RELIEF = 1.2;

/**
 * What is wrong now.
 * @param diskFree the share of the disk, from 0 to 1, below which its free space is too little.
 */
export function conditionsOf(facts: Facts, { diskFree }: { readonly diskFree: number }): Condition[] {
  return [
    ...keyConditions(facts),
    ...haltConditions(facts),
    ...listCondition(facts),
    ...facts.positions.flatMap((position) => streamConditions(position, facts)),
    ...diskConditions(facts, diskFree),
    ...facts.liveRooms.flatMap((room) => roomCondition(room, facts) ?? []),
  ];
}

function keyConditions({ keyRefused, keyExpiresAt, positions, now }: Facts): Condition[] {
  const found: Condition[] = [];
  if (keyRefused !== undefined)
    found.push({
      id: 'key-refused',
      kind: 'key-refused',
      group: 'key-refused',
      subject: 'The API refuses the key',
      text: keyRefused,
      hint: 'Make a new key in your HyperStudy account and put it where the old one is. Until then nothing is synced.',
      ended: 'The API accepts the key again',
      urgent: true,
    });
  const expiry = expiryOf({ keyExpiresAt, now, readAt: latestRead(positions) });
  if (expiry !== undefined && expiry.state !== 'outlived')
    found.push({
      id: 'key-expiring',
      kind: 'key-expiring',
      group: 'key-expiring',
      subject: expiry.subject,
      text: expiry.text,
      hint: expiry.hint,
      ended: 'The end of the API key is not near any more',
      urgent: true,
      // Of a key that is refused, that is told.
      quiet: keyRefused !== undefined,
    });
  return found;
}

function haltConditions({ trouble, keyRefused }: Facts): Condition[] {
  if (trouble === undefined || keyRefused !== undefined) return [];
  const { since, code, text, hint } = trouble;
  const isAway = code === 'SERVER_UNREACHABLE';
  return [
    {
      id: `halted:${code}`,
      kind: 'halted',
      group: `halted:${code}`,
      subject: isAway ? 'The API cannot be reached' : 'The warehouse cannot be written',
      text: `${text} Nothing new is read until this is over.`,
      hint: hint ?? 'The daemon goes on by itself once this is over.',
      ended: isAway ? 'The API can be reached again' : 'The warehouse can be written again',
      urgent: false,
      since,
    },
  ];
}

function diskConditions({ freeBytes, totalBytes }: Facts, diskFree: number): Condition[] {
  if (totalBytes <= 0 || freeBytes >= totalBytes * diskFree * DISK_RELIEF) return [];
  return [
    {
      id: 'disk',
      kind: 'disk',
      group: 'disk',
      subject: 'The disk of the warehouse is nearly full',
      text: `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} are free, ${percent(freeBytes / totalBytes)}; alerts.diskFree asks for ${percent(diskFree)}.`,
      hint: 'Free some space, or move warehouse.path to a larger disk. A sync that finds the disk full stops and loses nothing.',
      ended: 'The disk of the warehouse has room again',
      urgent: true,
      quiet: freeBytes >= totalBytes * diskFree,
    },
  ];
}

function roomCondition(
  { experimentId, room, lastRowAt, startedAt, readTo }: LiveRoom,
  facts: Facts,
): Condition | undefined {
  const since = lastRowAt ?? startedAt;
  const silence = facts.now - since;
  if (readTo === undefined || readTo - since < SILENCE_MS) return undefined;
  const isUnread = (position: StoredPosition) =>
    position.experimentId === experimentId && position.lastStatus === 'failed';
  return {
    id: `room:${experimentId}/${room}`,
    kind: 'live-room',
    group: `room:${experimentId}/${room}`,
    subject: `The live room ${room} of ${experimentId} sends no rows`,
    text:
      lastRowAt === undefined
        ? `The room has sent nothing since it started ${formatDuration(silence)} ago.`
        : `The last row came ${formatDuration(silence)} ago.`,
    hint: 'Look whether the session is going on: browsers may be offline, or the room was left open.',
    ended: `The room ${room} of ${experimentId} sends rows again or is over`,
    urgent: true,
    since,
    // What cannot be read may well be sent.
    quiet: facts.keyRefused !== undefined || facts.positions.some(isUnread),
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
