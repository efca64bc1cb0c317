import type { Stream } from '../datasets/stream.ts';
import { openRecording, type Recording } from '../sync/recording.ts';
import type { SyncContext } from '../sync/open-session.ts';
import { isFine, type StreamResult } from '../sync/stream.ts';
import { formatTime } from '../shared/time.ts';
import type { ReadContext } from './read-context.ts';

/** What the daemon reads by schedule is one run for each day (UTC), as it reads every few seconds. */
export interface DailyRun {
  /** Reads a stream as a part of today's run. @throws WarehouseError as `read` does, or when no run can begin. */
  read(
    context: ReadContext,
    stream: Stream,
    read: (context: ReadContext) => Promise<StreamResult>,
  ): Promise<StreamResult>;
  /** Ends the run, when nothing is read any more. */
  end(): void;
}

export function createDailyRun(parts: Pick<SyncContext, 'warehouse' | 'clock'>): DailyRun {
  let today: Day | undefined;
  const enter = (): Day => {
    const date = formatTime(parts.clock.now()).slice(0, 10);
    if (today?.date === date) return today;
    today?.close();
    return (today = openDay(date, openRecording(parts, { kind: 'daemon' })));
  };
  return {
    async read(context, stream, read) {
      return enter().work(async (recording) => {
        const result = await read(recording.within(context));
        recording.note(stream, isFine(result));
        return result;
      });
    },
    end() {
      today?.close();
      today = undefined;
    },
  };
}

type Day = ReturnType<typeof openDay>;

/** The run of one day. Readings under way may end on the next one: what they write late belongs to this day. */
function openDay(date: string, recording: Recording) {
  let underWay = 0;
  let isClosed = false;
  const endIfDone = () => {
    if (isClosed && underWay === 0) recording.end(true);
  };
  return {
    date,
    async work<T>(job: (recording: Recording) => Promise<T>): Promise<T> {
      underWay++;
      try {
        return await job(recording);
      } finally {
        underWay--;
        endIfDone();
      }
    },
    /** Ends the run as soon as nothing is under way. */
    close() {
      isClosed = true;
      endIfDone();
    },
  };
}
