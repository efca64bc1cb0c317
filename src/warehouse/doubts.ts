import { z } from 'zod';
import { counted } from '../shared/count.ts';
import { isErrorCode, type ErrorCode } from '../shared/errors.ts';

/**
 * What is known against a stream's completeness. A kind that is `blocking` means that the table may not equal
 * the API; the others are only what a reader should know. The order is that of urgency: first what waits for a person.
 */
const KINDS = {
  /** Rows are no longer in the API and were not deleted here: for so many at once, a user has to agree. */
  withheld: { blocking: true },
  /** Records came in another shape than before, and the configuration wants that accepted first. */
  schema: { blocking: true },
  /** The experiment, room or participant is no longer available to this key. */
  gone: { blocking: true },
  /** The stream is no longer configured. */
  unconfigured: { blocking: true },
  /** The key may not read it. */
  'no-scope': { blocking: true },
  /** The last read ended in an error. */
  failed: { blocking: true },
  /** The API counts or shows more records than could be read. */
  lacking: { blocking: true },
  /** More rows are held than the API counts, and it is not known which of them are gone. */
  surplus: { blocking: true },
  /** Rows were missing in one reading; a second one has to agree before they are deleted. */
  'missing-upstream': { blocking: true },
  /** Records that say exactly what others say were met once: a second reading has to show them as well. */
  repeated: { blocking: true },
  /** An answer contradicted itself, or another one. */
  contradiction: { blocking: true },
  /** The API said that records are missing from its answer. */
  warned: { blocking: true },
  /** The API cut its answer at a limit of its own. */
  cut: { blocking: true },
  /** The API says that there is more, and sends nothing new. */
  endless: { blocking: true },
  /** Records kept coming and going while they were read. */
  unstable: { blocking: true },
  /** Nothing shows that the last page was really the last. */
  unproven: { blocking: true },
  /** Records that could not be stored as rows. */
  quarantined: { blocking: true },
  /** The stream is to be read whole again, as stored rows may be out of date. */
  reread: { blocking: true },
  /** No read has ended yet. */
  unread: { blocking: true },
  /** Carried over from a warehouse of an earlier version. */
  earlier: { blocking: true },
  /** Rows lie ahead of the server's clock. */
  'dated-ahead': { blocking: false },
  /** Several records share one id; all of them are kept. */
  'shared-id': { blocking: false },
  /** The server says that it lost data. */
  'dropped-writes': { blocking: false },
  /** Stored rows were changed by the server. */
  rederived: { blocking: false },
} as const satisfies Record<string, { readonly blocking: boolean }>;

export type DoubtKind = keyof typeof KINDS;

/** Kinds that do not speak against completeness. */
export type NoteKind = { [K in DoubtKind]: (typeof KINDS)[K]['blocking'] extends true ? never : K }[DoubtKind];

/** One thing that speaks against a stream's completeness, or that a reader should know. */
export interface Doubt {
  readonly kind: DoubtKind;
  /** What it is, as a clause without a full stop. */
  readonly text: string;
  /** How many records it concerns, if known. */
  readonly count?: number;
  /** The error that it comes from, if it does. */
  readonly code?: ErrorCode;
}

const ORDER = Object.keys(KINDS) as DoubtKind[];

const Stored = z.array(
  z.object({
    kind: z.enum(ORDER),
    text: z.string(),
    count: z.number().exactOptional(),
    code: z.string().refine(isErrorCode).exactOptional(),
  }),
);

export function isBlocking({ kind }: Doubt): boolean {
  return KINDS[kind].blocking;
}

/** Whether a stream with these doubts is complete: all of its records are accounted for. */
export function isComplete(doubts: readonly Doubt[]): boolean {
  return !doubts.some(isBlocking);
}

/**
 * The doubt that a stream is to be read whole again.
 * @param changed how many rows were found to have changed so far.
 */
export function rereadDoubt(reason: string, changed = 0): Doubt {
  const text = `everything is to be read again: ${reason}`;
  return { kind: 'reread', text, ...(changed === 0 ? {} : { count: changed }) };
}

/** The doubt about exact repeats that only one reading has shown. */
export function repeatedDoubt(rows: number): Doubt {
  const [says, own] = rows === 1 ? ['says', 'it is a record of its own'] : ['say', 'they are records of their own'];
  const text = `${counted(rows, 'row')} ${says} exactly what another one says; a second reading decides whether ${own}`;
  return { kind: 'repeated', text, count: rows };
}

/** Doubts in the order of their urgency, each once. */
export function ranked(doubts: Iterable<Doubt>): Doubt[] {
  const each = new Map([...doubts].map((doubt) => [`${doubt.kind} ${doubt.text}`, doubt]));
  return [...each.values()].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** Why a stream is not complete, in words; undefined if it is complete. */
export function reasonOf(doubts: readonly Doubt[]): string | undefined {
  const blocking = ranked(doubts).filter(isBlocking);
  return blocking.length === 0 ? undefined : blocking.map(({ text }) => text).join('; ');
}

export function doubtsToText(doubts: readonly Doubt[]): string {
  return JSON.stringify(ranked(doubts));
}

/** The doubts that a column holds. @throws ZodError when it was not written by `doubtsToText`. */
export function doubtsFromText(text: string): Doubt[] {
  return Stored.parse(JSON.parse(text));
}
