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

interface Day {
  readonly date: string;
  readonly recording: Recording;
  /** Readings under way: what they write late belongs to the day on which they began. */
  underWay: number;
}

export function createDailyRun(parts: Pick<SyncContext, 'warehouse' | 'clock'>): DailyRun {
  let today: Day | undefined;
  const enter = (): Day => {
    const date = formatTime(parts.clock.now()).slice(0, 10);
    if (today?.date === date) return today;
    if (today?.underWay === 0) today.recording.end(true);
    return (today = { date, recording: openRecording(parts, { kind: 'daemon' }), underWay: 0 });
  };
  const leave = (day: Day) => {
    day.underWay--;
    if (day !== today && day.underWay === 0) day.recording.end(true);
  };
  return {
    async read(context, stream, read) {
      const day = enter();
      day.underWay++;
      try {
        const result = await read(day.recording.within(context));
        day.recording.note(stream, isFine(result));
        return result;
      } finally {
        leave(day);
      }
    },
    end() {
      today?.recording.end(true);
      today = undefined;
    },
  };
}
