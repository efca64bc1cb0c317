import { PRIORITIES } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import { isCounted, isLive, noteLook, type Signals } from '../schedule/activity.ts';
import type { PlannedExperiment } from '../schedule/streams.ts';
import { isOutage, WarehouseError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json.ts';
import { listRequests } from '../sync/experiment-list.ts';
import { unnamed } from '../sync/experiments.ts';
import { listWithShares, SHARES_EVERY_MS, type WholeListing } from '../sync/shares.ts';
import type { SyncContext } from '../sync/open-session.ts';
import type { StreamResult } from '../sync/stream.ts';
import { goneExperiments } from '../warehouse/enrolment.ts';
import { knownExperiments, latestRooms } from '../warehouse/structure.ts';
import { HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import { goneText } from '../warehouse/experiment-list.ts';

/** Which experiments there are, and which of them are running. */
export interface Experiments {
  /** The configured experiments; with `all`, those that the key can see. */
  planned(): readonly PlannedExperiment[];
  /**
   * With `all`, those that were missing from two lists in a row, and when from the second (milliseconds since 1970
   * UTC).
   */
  gone(): ReadonlyMap<string, number>;
  /** With `all`, since when the list of experiments is empty, once a second list confirms it. */
  seesNothingSince(): number | undefined;
  isLive(id: string): boolean;
  /** When the API's count of a data type's records last changed (milliseconds since 1970 UTC); 0 if it never did. */
  changedAt(id: string, dataType: string): number;
  nameOf(id: string): string | undefined;
  /** Requests the list from the API when that is due, and notes what changed. Returns whether a list was read. */
  look(context: Pick<SyncContext, 'client' | 'signal'>): Promise<boolean>;
  /** Notes that a stream of an experiment was read. */
  note(result: StreamResult): void;
  /** When the next look is due (milliseconds since 1970 UTC). */
  readonly nextLookAt: number;
  /** Starts over with the experiments of a configuration, as if nothing was known about them. */
  restart(config: Pick<Config, 'experiments'>): void;
}

const LOOK_EVERY_MS = MINUTE_MS;
export const LOOKS_PER_HOUR = HOUR_MS / LOOK_EVERY_MS;

/**
 * Follows the configured experiments by the API's cheap signals: one list of all of them, read once a minute (less
 * often if it has several pages), and what their rooms and rows show.
 */
export function followExperiments(
  config: Pick<Config, 'experiments'>,
  parts: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>,
): Experiments {
  const { warehouse, clock, log } = parts;
  let followed = begin(config, parts);
  let nextLookAt = 0;
  let everyMs = LOOK_EVERY_MS;
  return {
    planned: () => [
      ...followed.named,
      ...followed.list.present().map((id) => unnamed(warehouse.db, id, followed.data)),
    ],
    gone: () => followed.list.gone(),
    seesNothingSince: () => followed.list.isEmptySince(),
    isLive: (id) => isLive({ ...followed.signals.of(id), rooms: latestRooms(warehouse.db, id) }, clock.now()),
    changedAt: (id, dataType) => (isCounted(dataType) ? (followed.signals.of(id).countedAt?.[dataType] ?? 0) : 0),
    nameOf: (id) => followed.signals.nameOf(id),
    get nextLookAt() {
      return nextLookAt;
    },
    async look({ client, signal }) {
      if (clock.now() < nextLookAt) return false;
      nextLookAt = clock.now() + everyMs;
      try {
        const asking = { client, db: warehouse.db, clock, signal, priority: PRIORITIES.live.rank };
        const listing = await listWithShares({ ...asking, everyMs: SHARES_EVERY_MS });
        everyMs = LOOK_EVERY_MS * listRequests(listing.listed.length);
        followed.list.note(listing);
        followed.signals.noteListed(listing.listed, clock.now());
        return true;
      } catch (error) {
        if (!(error instanceof WarehouseError) || isOutage(error.code)) throw error;
        log.debug({ code: error.code }, `the list of experiments could not be read: ${error.message}`);
        return false;
      }
    },
    note({ experiment, inserted, watermark, oldestNew }) {
      // A snapshot read has no watermark. A first read brings old rows while other streams bring new ones.
      const newest = watermark ?? oldestNew;
      if (inserted === 0 || newest === null) return;
      followed.signals.noteRows(experiment, Math.min(clock.now(), Date.parse(newest)));
    },
    restart(next) {
      followed = begin(next, parts);
      nextLookAt = 0;
      everyMs = LOOK_EVERY_MS;
    },
  };
}

/** What is configured, and what is known about it so far. */
function begin({ experiments }: Pick<Config, 'experiments'>, parts: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>) {
  const named = experiments.filter((experiment) => 'id' in experiment);
  const all = experiments.find((experiment) => 'all' in experiment);
  return {
    named,
    data: all?.data,
    list: followList(all === undefined ? undefined : named, parts),
    signals: followSignals(),
  };
}

/** Follows what the list of experiments and their rows show of each experiment. */
function followSignals() {
  const signals = new Map<string, Signals>();
  const names = new Map<string, string>();
  const of = (id: string): Signals => signals.get(id) ?? { rooms: [] };
  return {
    of,
    nameOf: (id: string) => names.get(id),
    noteListed(listed: WholeListing['listed'], now: number) {
      for (const experiment of listed) {
        const { id, name } = experiment;
        signals.set(id, noteLook(of(id), lookOf(experiment), now));
        if (typeof name === 'string') names.set(id, name);
      }
    },
    noteRows(id: string, at: number) {
      signals.set(id, { ...of(id), rowsAt: Math.max(of(id).rowsAt ?? 0, at) });
    },
  };
}

function lookOf({ updatedAt, roomCount, participantCount }: JsonObject) {
  return {
    updatedAt: typeof updatedAt === 'string' ? updatedAt : undefined,
    roomCount: typeof roomCount === 'number' ? roomCount : undefined,
    participantCount: typeof participantCount === 'number' ? participantCount : undefined,
  };
}

/** Two lists that are closer together count as one piece of evidence. */
const AGREES_MS = MINUTE_MS;

/**
 * Follows which experiments the key can see. One that is known and missing from the list is gone when a second list, at
 * least a minute later, agrees; a partial list is no evidence that an experiment is missing.
 * @param named those that the configuration names, which are read whatever the list says; undefined without `all`.
 */
function followList(
  named: readonly PlannedExperiment[] | undefined,
  { warehouse, clock, log }: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>,
) {
  const isOther = (id: string) => named?.some((experiment) => experiment.id === id) === false;
  const gone = new Map(
    goneExperiments(warehouse.db)
      .filter(isOther)
      .map((id) => [id, clock.now()]),
  );
  const present = new Set(knownExperiments(warehouse.db).filter((id) => isOther(id) && !gone.has(id)));
  const missedAt = new Map<string, number>();
  let [emptyAt, isEmptyAgain] = [Infinity, false];
  return {
    present: (): readonly string[] => [...present],
    gone: (): ReadonlyMap<string, number> => gone,
    isEmptySince: () => (isEmptyAgain ? emptyAt : undefined),
    note({ listed, isWhole, isUnrequested }: WholeListing) {
      const now = clock.now();
      const ids = new Set(listed.map(({ id }) => id).filter(isOther));
      for (const id of ids) {
        present.add(id);
        missedAt.delete(id);
        if (gone.delete(id)) log.info({ experiment: id }, `${id} is in the list of experiments again`);
      }
      const isNothing = listed.length === 0 && ![...present].some(isUnrequested);
      if (!isNothing) [emptyAt, isEmptyAgain] = [Infinity, false];
      if (!isWhole || named === undefined) return;
      if (isNothing) {
        emptyAt = Math.min(emptyAt, now);
        isEmptyAgain = now - emptyAt >= AGREES_MS;
      }
      for (const id of [...present].filter((each) => !ids.has(each) && !isUnrequested(each))) {
        const first = missedAt.get(id) ?? now;
        missedAt.set(id, first);
        if (now - first < AGREES_MS) continue;
        present.delete(id);
        missedAt.delete(id);
        gone.set(id, now);
        log.warn({ experiment: id }, `${goneText(id)}; its rows are kept`);
      }
    },
  };
}
