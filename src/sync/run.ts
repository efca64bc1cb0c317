import { PRIORITIES } from '../budget/priorities.ts';
import type { Stream } from '../datasets/stream.ts';
import { surveyExperiments, type Survey } from './experiments.ts';
import { namesData, planStreams, waveOf, type PlannedExperiment, type Selection } from '../schedule/streams.ts';
import { finishedRooms, partText, readPosition } from '../warehouse/positions.ts';
import { isWell, standingOf } from '../warehouse/standing.ts';
import { knownDeployments, knownRooms } from '../warehouse/structure.ts';
import { recorded, type Recording } from './recording.ts';
import { hasTime, rangeText, rereadStream, type Reread } from './reread.ts';
import { enrol } from './roster.ts';
import type { SyncContext } from './open-session.ts';
import { isFine, syncStream, type StreamResult } from './stream.ts';
import { rememberList, type ListIssue } from '../warehouse/experiment-list.ts';

/** What a sync did, as `sync now --json` prints it. */
export interface SyncResult {
  /** ok · partial: some streams failed or are incomplete, or experiments are no longer accessible to the key. */
  readonly status: 'ok' | 'partial';
  readonly requests: number;
  readonly durationMs: number;
  readonly streams: readonly StreamResult[];
  /**
   * What is wrong beyond single streams: experiments that are gone, a list of experiments that is empty or not whole.
   */
  readonly issues: readonly ListIssue[];
}

export interface SyncOptions extends SyncContext {
  readonly selection: Selection;
  /** Read this time range again instead of what is new. */
  readonly reread?: Reread | undefined;
  /** Given the streams that are known, done ones included: at the start, and when rooms and deployments were found. */
  readonly onPlan?: ((streams: readonly Stream[]) => void) | undefined;
  readonly onStream?: ((event: { stream: Stream; result?: StreamResult }) => void) | undefined;
}

/** A stream and its result. */
interface Done {
  readonly stream: Stream;
  readonly result: StreamResult;
}

/**
 * Syncs everything that is configured or selected: finds the experiments, reads what names their deployments and rooms,
 * then everything else, several streams at a time. Every configured stream gets its row in `_streams`, even if it is
 * not selected or not reached. With `reread`, only data types with a time are read; a dry run writes nothing and is not
 * recorded as a run.
 * @throws WarehouseError when nothing more can be read or written: key refused, interrupted, disk full.
 */
export function runSync(options: SyncOptions): Promise<SyncResult> {
  if (options.reread?.dryRun === true) return sync(options);
  const purpose = { kind: 'sync now', options: beyondDefault(options) } as const;
  return recorded(options, purpose, (recording) => sync(noting(options, recording)), isUpToDate);
}

/** The options of a sync that differ from the defaults. */
function beyondDefault({ selection, full, acceptDeletes, acceptSchema, reread }: SyncOptions): object {
  return {
    ...selection,
    ...(reread === undefined ? {} : rangeText(reread)),
    ...(full ? { full } : {}),
    ...(acceptDeletes ? { acceptDeletes } : {}),
    ...(acceptSchema === true ? { acceptSchema } : {}),
  };
}

/** The same options, with requests, changes and streams counted for a run. */
function noting(options: SyncOptions, recording: Recording): SyncOptions {
  return {
    ...recording.within(options),
    onStream(event) {
      if (event.result !== undefined) recording.note(event.stream, isFine(event.result));
      options.onStream?.(event);
    },
  };
}

function isUpToDate({ status }: SyncResult): boolean {
  return status === 'ok';
}

async function sync(options: SyncOptions): Promise<SyncResult> {
  const { client, warehouse, clock, selection, reread } = options;
  const isDry = reread?.dryRun === true;
  const startedAt = clock.now();
  const spentBefore = client.tries;
  const survey = await surveyExperiments(options);
  if (selection.experiments === undefined && !isDry) rememberList(warehouse.db, survey.issues, startedAt);
  let done: Done[] = [];
  try {
    for (const wave of [0, 1, 2] as const) {
      if (!isDry) enrolAll(options, survey);
      const known = knownStreams(options, survey.selected);
      options.onPlan?.(known);
      done.push(
        ...(await syncAll(
          options,
          known.filter((stream) => waveOf(stream) === wave),
        )),
      );
    }
    // If a range shows that the server derived data again, the next sync reads these.
    if (reread === undefined) done = await readAgain(options, done);
  } finally {
    if (!isDry) {
      // Rooms that were found in the meantime.
      enrolAll(options, survey);
      warehouse.tendForReaders();
    }
  }
  return {
    status: survey.issues.length === 0 && allIsWell(options, done) ? 'ok' : 'partial',
    requests: client.tries - spentBefore,
    durationMs: clock.now() - startedAt,
    streams: done.map(({ result }) => result),
    issues: survey.issues,
  };
}

/** Reads the streams whole that the server derived again, after everything else. */
async function readAgain(options: SyncOptions, done: readonly Done[]): Promise<Done[]> {
  const { warehouse } = options;
  const isDue = ({ stream }: Done) => readPosition(warehouse.db, stream).rereadReason !== undefined;
  const streams = done.filter((one) => one.result.status === 'incomplete' && isDue(one)).map(({ stream }) => stream);
  if (streams.length === 0) return [...done];
  const again = await syncAll({ ...options, priority: options.priority ?? PRIORITIES.reconcile.rank }, streams);
  return done.map((one) => {
    const second = again.find(({ stream }) => stream === one.stream);
    return second === undefined ? one : { stream: one.stream, result: together(one.result, second.result) };
  });
}

/** Combines two reads of a stream in one sync. */
function together(first: StreamResult, second: StreamResult): StreamResult {
  const [earlier] = [first.oldestNew, second.oldestNew].filter((time) => time !== null).sort();
  return {
    ...second,
    fetched: first.fetched + second.fetched,
    inserted: first.inserted + second.inserted,
    updated: first.updated + second.updated,
    unchanged: second.unchanged,
    deleted: first.deleted + second.deleted,
    marked: first.marked + second.marked,
    requests: first.requests + second.requests,
    oldestNew: earlier ?? null,
  };
}

function enrolAll({ warehouse, config }: SyncOptions, { configured, gone }: Survey): void {
  enrol(warehouse, { config, experiments: configured, gone });
}

function allIsWell({ config, selection }: SyncOptions, done: readonly Done[]): boolean {
  return isWell(
    done.map(({ result: { experiment, data, status } }) => ({
      standing: status === 'ok' ? 'complete' : status,
      isNamed: namesData(config, { experimentId: experiment, data }, selection),
    })),
  );
}

/** What planning needs to know. It only reads the warehouse. */
type Planning = Pick<SyncOptions, 'config' | 'selection' | 'full' | 'reread'> & {
  readonly warehouse: Pick<SyncOptions['warehouse'], 'db'>;
};

/** The streams of a sync as far as they are known before it, for `--dry-run`. */
export function knownStreams(options: Planning, experiments: readonly PlannedExperiment[]): Stream[] {
  return experiments.flatMap((experiment) => plan(options, experiment));
}

/** The streams of an experiment. Finished rooms are skipped, unless everything or a range is read again. */
function plan({ config, warehouse, selection, full, reread }: Planning, experiment: PlannedExperiment): Stream[] {
  const known = {
    rooms: knownRooms(warehouse.db, experiment.id).ids,
    deployments: knownDeployments(warehouse.db, experiment.id),
  };
  const streams = planStreams(config, experiment, known, selection);
  if (reread !== undefined) return streams.filter(({ dataset }) => hasTime(dataset));
  if (full) return streams;
  const finished = finishedRooms(warehouse.db, experiment.id);
  return streams.filter((stream) => stream.scope.kind !== 'room' || !finished.has(partText(stream)));
}

async function syncAll(options: SyncOptions, streams: readonly Stream[]): Promise<Done[]> {
  const waiting = [...streams];
  const done: Done[] = [];
  const worker = async () => {
    for (let stream = waiting.shift(); stream !== undefined; stream = waiting.shift()) {
      options.onStream?.({ stream });
      const { reread } = options;
      const read = reread === undefined ? syncStream(options, stream) : rereadStream(options, stream, reread);
      const result = withLoss(options, stream, await read);
      done.push({ stream, result });
      options.onStream?.({ stream, result });
    }
  };
  // If an error in one worker ends the sync, the others finish their page or fail in turn.
  const ends = await Promise.allSettled(Array.from({ length: options.config.api.concurrency }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return done;
}

/** A stream that the key could read before and no longer can counts as failed, not as skipped. */
function withLoss({ warehouse }: SyncOptions, stream: Stream, result: StreamResult): StreamResult {
  const isLost = result.status === 'skipped' && standingOf(readPosition(warehouse.db, stream)) === 'lost';
  return isLost ? { ...result, status: 'failed' } : result;
}
