import type { Code } from '../shared/errors.ts';

/** Something that is wrong now or that readers of the data should know: one cause, with everything that it affects. */
export interface Issue {
  /** Stays the same as long as the cause does. */
  readonly id: string;
  readonly code: Code;
  /** error: data are not or cannot be read · warning: data may be missing, or soon will be · note: good to know. */
  readonly severity: Severity;
  /** When it began, if that is known (milliseconds since 1970 UTC). */
  readonly since: number | undefined;
  readonly scope: Scope;
  /** The headline, without a full stop. */
  readonly subject: string;
  /** What is wrong, in sentences. */
  readonly text: string;
  /** What to do. */
  readonly hint: string;
  /** The headline when it is over: `The disk has enough free space again`. */
  readonly ended: string;
  readonly alert: Alert;
  readonly suppressed?: Suppression | undefined;
}

export type Severity = 'error' | 'warning' | 'note';

/** What an issue is about; everything if it names nothing. */
export interface Scope {
  readonly experiment?: string | undefined;
  readonly room?: string | undefined;
  readonly streams?: readonly AffectedStream[] | undefined;
  /** What `streams` names, where these are no streams. */
  readonly are?: 'changes' | undefined;
}

export interface AffectedStream {
  /** Stays the same as long as the same is wrong with the same stream. */
  readonly id: string;
  /** Its name within its experiment, with what applies only to it: `chat, room r1`. */
  readonly name: string;
  readonly since: number | undefined;
  readonly suppressed?: Suppression | undefined;
}

/**
 * When an alert is sent: at once · when it has lasted for `alerts.after` · when it has lasted a day · once, without a
 * message that it is over · never.
 */
export type Alert = 'at once' | 'when it lasts' | 'after a day' | 'once' | 'never';

/**
 * Why it raises no alert, although it keeps an open one open: another issue explains it · it has lasted only a moment ·
 * it was last checked long ago · whether it is over is not known.
 */
export type Suppression = 'explained' | 'brief' | 'old' | 'unknown';

/** Whether it is about everything: it names no experiment and no stream. */
export function isOfEverything({ scope: { experiment, streams = [] } }: Issue): boolean {
  return experiment === undefined && streams.length === 0;
}

/** The issues to show: without those that another one explains, that are only a moment old, or that may be over. */
export function shownOf(issues: readonly Issue[]): Issue[] {
  const isShown = ({ suppressed }: { readonly suppressed?: Suppression | undefined }) =>
    suppressed === undefined || suppressed === 'old';
  return issues.filter(isShown).flatMap((issue) => {
    const { streams } = issue.scope;
    if (streams === undefined || streams.length === 0) return [issue];
    const left = streams.filter(isShown);
    return left.length === 0 ? [] : [{ ...issue, scope: { ...issue.scope, streams: left } }];
  });
}
