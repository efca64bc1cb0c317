import type { Config } from '../config/schema.ts';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { partIn, scopeText, type Stream } from '../datasets/stream.ts';
import { unnamed } from './experiments.ts';
import { planStreams, type PlannedExperiment } from '../schedule/streams.ts';
import { isComplete, reasonOf, type Doubt } from '../warehouse/doubts.ts';
import {
  enrolledStreams,
  goneExperiments,
  writeEnrolment,
  type Enrolled,
  type Enrolment,
  type Mark,
  type StreamKey,
} from '../warehouse/enrolment.ts';
import { withPlainErrors, type Db } from '../warehouse/open.ts';
import { allPositions, NEVER_READ, readPosition, type StoredPosition } from '../warehouse/positions.ts';
import { knownDeployments, knownExperiments, knownRooms } from '../warehouse/structure.ts';
import { goneText } from '../warehouse/experiment-list.ts';

/** The configured experiments, and those that are no longer in the list. */
export interface Wanted {
  readonly config: Pick<Config, 'data' | 'options'>;
  readonly experiments: readonly PlannedExperiment[];
  readonly gone: readonly string[];
}

/**
 * The experiments that the configuration names and, with `all`, those that the warehouse knows and that are not gone.
 */
export function configuredExperiments(db: Db, config: Pick<Config, 'data' | 'options' | 'experiments'>): Wanted {
  const named = config.experiments.filter((experiment) => 'id' in experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  if (all === undefined) return { config, experiments: named, gone: [] };
  const ids = new Set(named.map(({ id }) => id));
  const gone = goneExperiments(db).filter((id) => !ids.has(id));
  const others = knownExperiments(db).filter((id) => !ids.has(id) && !gone.includes(id));
  return { config, experiments: [...named, ...others.map((id) => unnamed(db, id, all.data))], gone };
}

/**
 * Gives every configured and known stream a row in `_streams`, so that streams that were never read are visible, and
 * marks the streams that are no longer configured or whose experiment, room or deployment is gone. It takes one
 * transaction, or none if nothing changes.
 */
export function enrol({ db, path }: { readonly db: Db; readonly path: string }, wanted: Wanted): void {
  withPlainErrors(path, () => writeEnrolment(db, enrolmentOf(db, wanted)));
}

/** The position of every stream that is configured or was read, as `enrol` would write it. Writes nothing. */
export function currentPositions(db: Db, wanted: Wanted): StoredPosition[] {
  const { fresh, marks, forgotten } = enrolmentOf(db, wanted);
  const marked = new Map(marks.map((mark) => [nameOf(mark), mark]));
  const dropped = new Set(forgotten.map(nameOf));
  const held = allPositions(db)
    .filter((position) => !dropped.has(nameOf(position)))
    .map((position) => {
      const doubts = marked.get(nameOf(position))?.doubts;
      return doubts === undefined
        ? position
        : { ...position, doubts, complete: isComplete(doubts), reason: reasonOf(doubts) };
    });
  return [...held, ...fresh.map((stream) => ({ ...NEVER_READ, ...keyOf(stream) }))].sort((a, b) =>
    nameOf(a) < nameOf(b) ? -1 : 1,
  );
}

function enrolmentOf(db: Db, wanted: Wanted): Enrolment {
  const streams = wanted.experiments.flatMap((experiment) => plan(db, wanted, experiment, []));
  const fresh = new Map(streams.map((stream) => [nameOf(keyOf(stream)), stream]));
  const marks: Mark[] = [];
  const outside: Enrolled[] = [];
  for (const enrolled of enrolledStreams(db)) {
    const isConfigured = fresh.delete(nameOf(enrolled));
    if (!isConfigured) outside.push(enrolled);
    else if (enrolled.isMarked) marks.push(...returned(enrolled));
  }
  const isGone = missingParts(db, wanted, outside);
  const isForgotten = (stream: Enrolled) => stream.isUntouched && !isGone(stream);
  const kept = outside.filter((stream) => !isForgotten(stream));
  return {
    fresh: [...fresh.values()],
    marks: [...marks, ...kept.flatMap((stream) => markOf(stream, isGone(stream), wanted.gone))],
    forgotten: outside.filter(isForgotten),
  };
}

/** Whether a stream is not planned because its experiment, room or deployment is gone. */
function missingParts(db: Db, wanted: Wanted, outside: readonly Enrolled[]): (stream: StreamKey) => boolean {
  const experiments = new Set(wanted.gone);
  const parts = Map.groupBy(outside, ({ experimentId }) => experimentId);
  const wouldBe = new Set(
    wanted.experiments
      .filter(({ id }) => parts.has(id))
      .flatMap((experiment) => plan(db, wanted, experiment, parts.get(experiment.id) ?? []))
      .map((stream) => nameOf(keyOf(stream))),
  );
  return (stream) => experiments.has(stream.experimentId) || wouldBe.has(nameOf(stream));
}

/** The streams of an experiment, as if the rooms and deployments of those streams were still listed. */
function plan(db: Db, { config }: Wanted, experiment: PlannedExperiment, former: readonly StreamKey[]): Stream[] {
  const formerly = (kind: 'room' | 'deployment') =>
    former.flatMap(({ scope }) => (scope.startsWith(`${kind}:`) ? beginnings(scope.slice(kind.length + 1)) : []));
  return planStreams(config, experiment, {
    rooms: [...knownRooms(db, experiment.id).ids, ...formerly('room')],
    deployments: [...new Set([...knownDeployments(db, experiment.id), ...formerly('deployment')])],
  });
}

/**
 * Streams with rows of rooms and deployments that are no longer listed: the rows are kept, and no plan names them.
 * @param planned the streams that are read.
 */
export function unlistedStreams(db: Db, planned: readonly Stream[]): Stream[] {
  const experiments = new Set(planned.map(({ experimentId }) => experimentId));
  const names = new Set(planned.map((stream) => nameOf(keyOf(stream))));
  return enrolledStreams(db)
    .filter((stream) => stream.isMarked && experiments.has(stream.experimentId) && !names.has(nameOf(stream)))
    .filter((stream) => stream.scope !== 'experiment' && stream.doubts().some(({ kind }) => kind === 'gone'))
    .flatMap(({ experimentId, data, scope }) => {
      const dataset = DATASETS.find(({ name }) => name === data);
      return dataset === undefined ? [] : [{ experimentId, dataset, ...partOfText(dataset, scope) }];
    })
    .filter((stream) => readPosition(db, stream).rows > 0);
}

/** The part that the text of a scope names. An id may hold a `?` as well: what follows is no filter then. */
function partOfText({ fields }: Dataset, text: string): ReturnType<typeof partIn> {
  const part = partIn(text);
  const isFilter = Object.keys(part.filter ?? {}).every((field) => Object.hasOwn(fields, field));
  const [kind = '', ...id] = text.split(':');
  if (isFilter || (kind !== 'room' && kind !== 'deployment')) return part;
  return { scope: { kind, id: id.join(':') } };
}

/** What may be the id in the text of a scope: a filter follows behind a `?`, which an id may hold as well. */
function beginnings(text: string): string[] {
  const parts = text.split('?');
  return parts.map((_, i) => parts.slice(0, i + 1).join('?'));
}

/**
 * A stream that is planned again. What it lacks is known after the next read. If the API answered that it does not
 * exist, only a read can remove that doubt.
 */
function returned(stream: Enrolled): Mark[] {
  const before = stream.doubts();
  const own = new Set([true, false].map((isExperiment) => goneDoubt(stream, isExperiment).text));
  const others = before.filter(({ kind, text }) => kind !== 'unconfigured' && !(kind === 'gone' && own.has(text)));
  if (others.length === before.length) return [];
  const isUnread = others.some(({ kind }) => kind === 'unread');
  const unread: Doubt = { kind: 'unread', text: 'not read since it was configured and found again' };
  return [{ ...keyOfEnrolled(stream), doubts: isUnread ? others : [...others, unread], isToBeRead: true }];
}

/** The mark of a stream that is no longer planned; empty if the stream has it already. */
function markOf(stream: Enrolled, isGone: boolean, gone: readonly string[]): Mark[] {
  const doubt = isGone ? goneDoubt(stream, gone.includes(stream.experimentId)) : unconfiguredDoubt(stream);
  const before = stream.doubts();
  if (before.some(({ kind, text }) => kind === doubt.kind && text === doubt.text)) return [];
  const others = before.filter(({ kind }) => kind !== 'unconfigured' && kind !== 'gone');
  return [{ ...keyOfEnrolled(stream), doubts: [doubt, ...others], isToBeRead: false }];
}

function goneDoubt({ experimentId, scope, dataAsOf }: Enrolled, isExperiment: boolean): Doubt {
  const what = isExperiment
    ? goneText(experimentId)
    : `${scope.replace(/\?.*$/s, '').replace(':', ' ')} of ${experimentId} is no longer listed: deleted, or no longer shared`;
  return { kind: 'gone', text: `${what}; ${asOf('its rows are kept as of', dataAsOf)}` };
}

function unconfiguredDoubt({ dataAsOf }: Enrolled): Doubt {
  const text = `it is no longer configured; ${asOf('the rows are as of', dataAsOf)}`;
  return { kind: 'unconfigured', text };
}

function asOf(words: string, time: string | null): string {
  return time === null ? 'it was never read to its end' : `${words} ${time.slice(0, 16).replace('T', ' ')} UTC`;
}

function keyOf(stream: Stream): StreamKey {
  return { experimentId: stream.experimentId, data: stream.dataset.name, scope: scopeText(stream) };
}

function keyOfEnrolled({ experimentId, data, scope }: Enrolled): StreamKey {
  return { experimentId, data, scope };
}

function nameOf({ experimentId, data, scope }: StreamKey): string {
  return `${experimentId}\n${data}\n${scope}`;
}
