import type { Client } from '../api/client.ts';
import { PRIORITIES } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Priority } from '../shared/priority.ts';
import { MINUTE_MS } from '../shared/time.ts';
import { readPosition } from '../warehouse/positions.ts';
import { isShared } from '../warehouse/shares.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { openCostMeter } from '../read/cost.ts';
import { openNovelty } from '../read/novelty.ts';
import { openTraits } from '../read/endpoint-traits.ts';
import { openOwnAnswers } from '../read/own-answer.ts';
import { openPageSize } from '../read/page-size.ts';
import { createReader, type Reader, type ReaderOptions } from '../read/reader.ts';
import type { Session } from '../read/session.ts';
import { committing, type Sink } from '../read/sink.ts';

/** What a sync works with; the same for all its streams. */
export interface SyncContext {
  readonly client: Client;
  readonly warehouse: Warehouse;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
  /** Accept the new fields and types because of which streams are stopped, and continue reading. */
  readonly acceptSchema?: boolean | undefined;
  /** The priority of every request; by default that of fresh data or, in a first read, of a backfill. */
  readonly priority?: Priority | undefined;
  /** Commit each page of a first read by itself, so that no one who shares the process waits for several. */
  readonly commitsEachPage?: boolean | undefined;
  readonly onPage?: ((stream: Stream, progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

/** A row that one reading missed is deleted if another one, at least this much later, misses it as well. */
const CONFIRM_AFTER_MS = MINUTE_MS;

/** What it takes to read one stream. @param sink by default one that writes. */
export function openSession(
  context: SyncContext,
  stream: Stream,
  sink: Sink = committing(context.warehouse, stream, { freezes: context.config.schema === 'freeze' }),
): Session {
  const { client, warehouse, config, clock, log, signal, full, acceptDeletes, onPage } = context;
  const traits = openTraits(warehouse.db, stream, () => clock.now());
  const { backfilled, rows } = readPosition(warehouse.db, stream);
  const fixed = stream.dataset.pageLimit ?? (config.api.pageSize === 'auto' ? undefined : config.api.pageSize);
  const meter = openCostMeter();
  const pageSize = openPageSize(traits, fixed);
  const novelty = openNovelty(stream, () => Math.ceil(rows / pageSize.known));
  const readerOptions: ReaderOptions = {
    client,
    config,
    pageSize,
    priority: context.priority ?? (backfilled ? PRIORITIES.fresh.rank : PRIORITIES.backfill.rank),
    signal,
    fill: stream.dataset.name === 'experiments' && isShared(warehouse.db, stream.experimentId) ? { shared: true } : {},
    mayBeAbsent: stream.dataset.mayBeAbsent === true && rows === 0,
    checkOwn: openOwnAnswers(warehouse.db, traits),
    novelty,
    meter,
    onPage: onPage === undefined ? undefined : (progress) => onPage(stream, progress),
    onLength(length) {
      if (length > (traits.known.largestPage ?? 0)) traits.learn({ largestPage: length }, 'an answer was so long');
    },
  };
  return {
    stream,
    reader: createReader(stream, readerOptions),
    meter,
    traits,
    warehouse,
    sink,
    client,
    config,
    clock,
    log,
    signal,
    startedAt: clock.now(),
    full,
    acceptDeletes,
    commitsEachPage: context.commitsEachPage ?? false,
    confirmAfterMs: acceptDeletes ? 0 : CONFIRM_AFTER_MS,
    inRoom(id) {
      novelty.addRoom();
      return createReader({ ...stream, scope: { kind: 'room', id } }, readerOptions);
    },
    readerOf: (dataset) => createOther(context, { ...stream, dataset, scope: { kind: 'experiment' } }, readerOptions),
  };
}

/** A reader of another stream, whose endpoint has traits of its own. */
function createOther(
  { warehouse, config, clock }: SyncContext,
  { experimentId, dataset, scope }: Stream,
  { client, priority, signal, novelty, meter }: ReaderOptions,
): Reader {
  const stream: Stream = { experimentId, dataset, scope };
  const traits = openTraits(warehouse.db, stream, () => clock.now());
  const { pageSize } = config.api;
  return createReader(stream, {
    ...{ client, config, priority, signal, novelty, meter },
    pageSize: openPageSize(traits, pageSize === 'auto' ? undefined : pageSize),
    checkOwn: openOwnAnswers(warehouse.db, traits),
  });
}
