import { passesByItself, whoActs } from '../shared/errors.ts';
import { formatTime } from '../shared/time.ts';
import type { Issue } from './issue.ts';

/** An issue as JSON for programs: null for what is not known, so that every member is there. */
export function issueInJson({ code, severity, since, scope, subject, text, hint }: Issue) {
  return {
    code,
    severity,
    since: since === undefined ? null : formatTime(since),
    experiment: scope.experiment ?? null,
    room: scope.room ?? null,
    streams: scope.are === undefined ? (scope.streams?.map(({ name }) => name) ?? []) : [],
    ...(scope.are === undefined ? {} : { [scope.are]: scope.streams?.map(({ name }) => name) ?? [] }),
    subject,
    message: text,
    hint,
    passesByItself: passesByItself(code),
    whoActs: whoActs(code),
  };
}
