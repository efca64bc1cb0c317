import type { Config } from '../config/schema.ts';
import { isCounted, isLive, noteLook, type Signals } from '../plan/activity.ts';
import type { PlannedExperiment } from '../plan/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json.ts';
import { listExperiments } from '../sync/experiments.ts';
import { ENDS_ALL, PRIORITY, type SyncContext } from '../sync/stream.ts';
import type { StreamResult } from '../sync/stream.ts';
import { knownExperiments, latestRooms } from '../warehouse/structure.ts';

/** Which experiments there are, and which of them are running. */
export interface Experiments {
  /** The configured ones; with `all`, those that the last look showed. */
  planned(): readonly PlannedExperiment[];
  isLive(id: string): boolean;
  /** When the API was last seen to count more or fewer records of a data type (milliseconds since 1970 UTC); 0 where it was not. */
  changedAt(id: string, dataType: string): number;
  nameOf(id: string): string | undefined;
  /** Asks the API for the list when that is due, and notes what changed. Gives whether the list came. */
  look(context: Pick<SyncContext, 'client' | 'signal'>): Promise<boolean>;
  /** A stream of an experiment was read. */
  note(result: StreamResult): void;
  /** When the next look is due (milliseconds since 1970 UTC). */
  readonly nextLookAt: number;
  readonly looksPerHour: number;
}

const LOOK_EVERY_MS = 60_000;
/** Experiments on a page of the list (HyperStudy API overview). */
const PAGE = 50;

/**
 * Follows the configured experiments by the API's cheap signals: one list for all of them, a minute apart for each page
 * it has, and what their rooms and rows show.
 */
export function followExperiments(
  config: Pick<Config, 'experiments'>,
  { warehouse, clock, log }: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>,
): Experiments {
  const named = config.experiments.filter((experiment) => 'id' in experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  const signals = new Map<string, Signals>();
  const names = new Map<string, string>();
  const met = all === undefined ? [] : knownExperiments(warehouse.db);
  let nextLookAt = 0;
  let everyMs = LOOK_EVERY_MS;
  const others = () =>
    met.filter((id) => !named.some((experiment) => experiment.id === id)).map((id) => ({ id, data: all?.data }));
  const signalsOf = (id: string): Signals => signals.get(id) ?? { rooms: [] };

  const noteListed = ({ listed, isWhole }: Awaited<ReturnType<typeof listExperiments>>) => {
    const now = clock.now();
    everyMs = LOOK_EVERY_MS * Math.max(1, Math.ceil(listed.length / PAGE));
    const ids = listed.map(({ id }) => id);
    if (all !== undefined) met.splice(0, met.length, ...new Set(isWhole ? ids : [...met, ...ids]));
    for (const experiment of listed) {
      signals.set(experiment.id, noteLook(signalsOf(experiment.id), lookOf(experiment), now));
      const { name } = experiment;
      if (typeof name === 'string') names.set(experiment.id, name);
    }
  };
  return {
    planned: () => [...named, ...others()],
    isLive: (id) => isLive({ ...signalsOf(id), rooms: latestRooms(warehouse.db, id) }, clock.now()),
    changedAt: (id, dataType) => (isCounted(dataType) ? (signalsOf(id).countedAt?.[dataType] ?? 0) : 0),
    nameOf: (id) => names.get(id),
    get nextLookAt() {
      return nextLookAt;
    },
    get looksPerHour() {
      return 3_600_000 / LOOK_EVERY_MS;
    },
    async look({ client, signal }) {
      if (clock.now() < nextLookAt) return false;
      nextLookAt = clock.now() + everyMs;
      try {
        noteListed(await listExperiments(client, signal, PRIORITY.live));
        return true;
      } catch (error) {
        const isUsual =
          error instanceof WarehouseError && !ENDS_ALL.has(error.code) && error.code !== 'SERVER_UNREACHABLE';
        if (!isUsual) throw error;
        log.debug({ code: error.code }, `the list of experiments could not be read: ${error.message}`);
        return false;
      }
    },
    note({ experiment, inserted, watermark, oldestNew }) {
      // What is read whole each time has no watermark. A first read brings old rows, beside streams that bring new ones.
      const newest = watermark ?? oldestNew;
      if (inserted === 0 || newest === null) return;
      const before = signalsOf(experiment);
      const rowsAt = Math.max(before.rowsAt ?? 0, Math.min(clock.now(), Date.parse(newest)));
      signals.set(experiment, { ...before, rowsAt });
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
