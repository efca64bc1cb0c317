import type { Code } from '../shared/errors.ts';

/** Something that is wrong now, or that readers of the data should know: one cause, with everything that it affects. */
export interface Issue {
  /** Equal as long as it is the same cause. */
  readonly id: string;
  readonly code: Code;
  /** error: data are not read, or cannot be · warning: they may lack something, or soon will · note: good to know. */
  readonly severity: Severity;
  /** When it began, where that is known (milliseconds since 1970 UTC). */
  readonly since: number | undefined;
  readonly scope: Scope;
  /** The headline, without a full stop. */
  readonly subject: string;
  /** What is wrong, in sentences. */
  readonly text: string;
  /** What to do. */
  readonly hint: string;
  /** The headline when it is over: `The disk has room again`. */
  readonly ended: string;
  readonly alert: Alert;
  readonly hush?: Hush | undefined;
}

export type Severity = 'error' | 'warning' | 'note';

/** What an issue is about; everything where it names nothing. */
export interface Scope {
  readonly experiment?: string | undefined;
  readonly room?: string | undefined;
  readonly streams?: readonly AffectedStream[] | undefined;
}

export interface AffectedStream {
  /** Equal as long as the same is wrong with the same stream. */
  readonly id: string;
  /** Within its experiment, with what is said of it alone: `chat, room r1`. */
  readonly name: string;
  readonly since: number | undefined;
  readonly hush?: Hush | undefined;
}

/**
 * When a person is alerted: at once · when it has lasted as long as `alerts.after` says · when it has lasted a day · once,
 * as news that is never over · never.
 */
export type Alert = 'at once' | 'when it lasts' | 'after a day' | 'as news' | 'never';

/**
 * Why no alert begins with it, although one that was begun goes on: another issue explains it · it has lasted for a moment
 * only · it was so when that was last looked at, which is long ago · whether it is over is not known.
 */
export type Hush = 'explained' | 'brief' | 'old' | 'unknown';

/** Whether it is about everything: no experiment is named, and no stream. */
export function isOfEverything({ scope: { experiment, streams = [] } }: Issue): boolean {
  return experiment === undefined && streams.length === 0;
}

/** What is to be shown: what another issue explains, what is but a moment old and what is not known is left out. */
export function shownOf(issues: readonly Issue[]): Issue[] {
  const isShown = ({ hush }: { readonly hush?: Hush | undefined }) => hush === undefined || hush === 'old';
  return issues.filter(isShown).flatMap((issue) => {
    const { streams } = issue.scope;
    if (streams === undefined || streams.length === 0) return [issue];
    const left = streams.filter(isShown);
    return left.length === 0 ? [] : [{ ...issue, scope: { ...issue.scope, streams: left } }];
  });
}
