export const KINDS = [
  'key-refused',
  'key-expiring',
  'halted',
  'stream',
  'deletes-braked',
  'gone',
  'rederived',
  'disk',
  'live-room',
] as const;
export type Kind = (typeof KINDS)[number];

/** Something that is wrong now and that somebody may have to be told. */
export interface Condition {
  /** Equal as long as it is the same trouble. */
  readonly id: string;
  readonly kind: Kind;
  /** Conditions of one group that are due together make one message. */
  readonly group: string;
  /** The headline, the same for all of a group. */
  readonly subject: string;
  /** What is wrong, in sentences. */
  readonly text: string;
  /** What is affected, where a message lists several: `chat, room r1`. */
  readonly part?: string | undefined;
  readonly hint: string;
  /** The headline when it is over: `The disk has room again`. */
  readonly ended: string;
  /** Told at once instead of after a while. */
  readonly urgent: boolean;
  /** When it began, where that is known; otherwise it began when it was first seen. */
  readonly since?: number | undefined;
  /** How long it lasts before it is told, where that is not what `alerts.after` says (milliseconds). */
  readonly afterMs?: number | undefined;
  /** An information: told once, at most one message a day, never repeated and never over. */
  readonly once?: boolean | undefined;
  /** Not known to be over, but no reason for a message either: it keeps an alert open and begins none. */
  readonly quiet?: boolean | undefined;
}
