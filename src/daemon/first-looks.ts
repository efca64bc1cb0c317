import { isOver } from '../datasets/room-status.ts';
import type { DueTime } from '../schedule/due-times.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { SyncContext } from '../sync/open-session.ts';
import { latestRooms } from '../warehouse/structure.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/** Streams whose first page is requested early, so that long first reads of other streams do not keep them waiting. */
export interface FirstLooks {
  /**
   * Returns a test of whether a stream was never looked at and may be receiving rows right now; rooms of earlier days
   * can wait. Use it at once: it reads the rooms of each experiment only once, as thousands of streams may be due.
   */
  now(): (entry: DueTime) => boolean;
  /** Notes that the stream was looked at. */
  note(entry: DueTime): void;
}

export function createFirstLooks(warehouse: Warehouse): FirstLooks {
  const looked = new Set<string>();
  return {
    now() {
      const open = new Map<string, ReadonlySet<string | null>>();
      const openRooms = (experimentId: string) => {
        const ids = open.get(experimentId) ?? openRoomsOf(warehouse, experimentId);
        open.set(experimentId, ids);
        return ids;
      };
      return ({ stream: { scope, experimentId }, key, isFirstRead, isReread }) =>
        isFirstRead &&
        !isReread &&
        !looked.has(key) &&
        (scope.kind !== 'room' || openRooms(experimentId).has(scope.id));
    },
    note({ key }) {
      looked.add(key);
    },
  };
}

function openRoomsOf({ db }: Warehouse, experimentId: string): ReadonlySet<string | null> {
  const rooms = latestRooms(db, experimentId).filter(({ status }) => status === null || !isOver(status));
  return new Set(rooms.map(({ id }) => id));
}

/** A stream of no more pages than this is read whole at its first look. */
const LOOK_PAGES = 3;

/** Ends the first look at a stream of more than a few pages; what was read is kept, and a first read does the rest. */
export function endedWhenLong<C extends Pick<SyncContext, 'signal' | 'onPage'>>(context: C): C {
  const long = new AbortController();
  let pages = 0;
  return {
    ...context,
    signal: AbortSignal.any([...(context.signal === undefined ? [] : [context.signal]), long.signal]),
    onPage(...[stream, progress]: Parameters<NonNullable<SyncContext['onPage']>>) {
      context.onPage?.(stream, progress);
      const { fetched, total = 0 } = progress;
      if (++pages >= LOOK_PAGES || total > (LOOK_PAGES * fetched) / pages)
        long.abort(new WarehouseError('INTERRUPTED', 'This stream is long: the rest of it is read later.'));
    },
  };
}
