import { fetchMedia } from '../media/round.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { MINUTE_MS } from '../shared/time.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

export interface MediaKeeper {
  readonly connection: () => ApiConnection;
  readonly isOut: () => boolean;
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly log: Log;
}

/** The files of one round, after which the configuration is looked at again. */
const MOST = 20;

/** Downloads the files of recordings until the signal is aborted, one at a time and behind all reads. */
export async function keepMedia(
  { connection, isOut, warehouse, clock, log }: MediaKeeper,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  const isGoing = () => !signal.aborted;
  while (isGoing()) {
    const { config, client } = connection();
    let isDone = true;
    if (config.media.recordings && !isOut()) {
      try {
        const round = await fetchMedia({ config, client, warehouse, clock, log, signal, most: MOST });
        isDone = round.fetched < MOST || round.stopped !== undefined;
        const stopped = round.stopped?.message;
        if (stopped !== undefined && stopped !== last) log.warn(`media are not downloaded: ${stopped}`);
        last = stopped;
      } catch (error) {
        if (isGoing()) log.error({ err: error }, 'media could not be downloaded; tried again in a minute');
      }
    }
    if (isDone) await clock.sleep(MINUTE_MS, signal).catch(() => undefined);
  }
}
