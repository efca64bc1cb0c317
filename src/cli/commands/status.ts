import { systemClock } from '../../shared/clock.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration, formatTime } from '../../shared/time.ts';
import { allPositions, type StoredPosition } from '../../warehouse/positions.ts';
import { openBudget, openReader, readConfig, type Command } from '../context.ts';
import { count, table } from '../output.ts';

/** `hsw status`: reads the warehouse without disturbing a writer. */
export const status: Command<unknown> = (context) => {
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    const now = systemClock.now();
    const streams = allPositions(db);
    const { hour } = openBudget(config, db, systemClock).usage();
    const lateByTypes = streams.filter(({ lateRows }) => lateRows > 0);
    if (context.json) {
      const usage = config.api.key === undefined ? null : hour;
      context.stdout.write(
        `${JSON.stringify({ warehouse: config.warehouse.path, requestsLastHour: usage, streams: streams.map(inJson) }, null, 2)}\n`,
      );
    } else {
      const rows = streams.map((stream) => [
        stream.experimentId,
        stream.data,
        stream.scope,
        stream.rows,
        age(stream.dataAsOf, now),
        completeness(stream),
      ]);
      const used =
        config.api.key === undefined
          ? ''
          : `Requests in the last hour: ${count(hour.used)} of ${count(hour.allowed)}.\n`;
      const late =
        lateByTypes.length === 0
          ? ''
          : `Rows arrived up to ${formatDuration(Math.max(...lateByTypes.map(({ latestMs }) => latestMs)))} late; the lookback is ${formatDuration(config.lookbackMs)}.\n`;
      context.stdout.write(
        `${table(['experiment', 'data', 'scope', 'rows', 'data as of', 'complete'], rows)}\n\n${used}${late}${config.warehouse.path}\n`,
      );
    }
    return Promise.resolve(
      streams.every(({ complete, lastStatus }) => complete || lastStatus === 'skipped') ? EXIT.ok : EXIT.partial,
    );
  } finally {
    db.close();
  }
};

function age(dataAsOf: number | undefined, now: number): string {
  return dataAsOf === undefined ? 'never' : `${formatDuration(Math.max(0, now - dataAsOf))} ago`;
}

function completeness({ complete, reason, lastStatus }: StoredPosition): string {
  if (complete) return 'yes';
  return `${lastStatus === 'skipped' ? 'skipped' : 'NO'}: ${(reason ?? 'not read yet').slice(0, 100)}`;
}

function inJson(stream: StoredPosition) {
  const time = (ms: number | undefined) => (ms === undefined ? null : formatTime(ms));
  return {
    experiment: stream.experimentId,
    data: stream.data,
    scope: stream.scope,
    rows: stream.rows,
    complete: stream.complete,
    reason: stream.reason ?? null,
    dataAsOf: time(stream.dataAsOf),
    verifiedAt: time(stream.verifiedAt),
    watermark: time(stream.watermark),
    lastStatus: stream.lastStatus ?? null,
    lastError: stream.lastError ?? null,
    lateRows: stream.lateRows,
    latestMs: stream.latestMs,
  };
}
