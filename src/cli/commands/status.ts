import { expiryOf, latestRead, type Expiry } from '../../daemon/expiry.ts';
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
    const expiry = expiryOf({ keyExpiresAt: config.api.keyExpiresAt, readAt: latestRead(streams), now });
    const { hour } = openBudget(config, db, systemClock).usage();
    if (context.json) {
      const usage = config.api.key === undefined ? null : hour;
      context.stdout.write(
        `${JSON.stringify({ warehouse: config.warehouse.path, requestsLastHour: usage, keyExpires: keyInJson(config.api.keyExpiresAt, expiry), suggestedLookbackMs: suggestLookback(Math.max(0, ...streams.map(({ latestMs }) => latestMs))), streams: streams.map(inJson) }, null, 2)}\n`,
      );
    } else {
      const rows = streams.map((stream) => [
        stream.experimentId,
        stream.data,
        stream.scope,
        stream.rows,
        age(stream.dataAsOf, now),
        stream.lateRows === 0 ? '' : `${count(stream.lateRows)}, up to ${formatDuration(stream.latestMs)}`,
        completeness(stream),
      ]);
      const used =
        config.api.key === undefined
          ? ''
          : `Requests in the last hour: ${count(hour.used)} of ${count(hour.allowed)}.\n`;
      context.stdout.write(
        `${table(['experiment', 'data', 'scope', 'rows', 'data as of', 'late rows', 'complete'], rows)}\n\n${used}${expiry === undefined ? '' : `✗ ${expiry.subject}. ${expiry.text}\n  ${expiry.hint}\n`}${lateText(streams, config.lookbackMs)}${config.warehouse.path}\n`,
      );
    }
    return Promise.resolve(
      streams.every(({ complete, lastStatus }) => complete || lastStatus === 'skipped') ? EXIT.ok : EXIT.partial,
    );
  } finally {
    db.close();
  }
};

function keyInJson(keyExpiresAt: number | undefined, expiry: Expiry | undefined) {
  return keyExpiresAt === undefined ? null : { at: formatTime(keyExpiresAt), state: expiry?.state ?? 'far' };
}

/** What the observed lateness says of the lookback, by the stream whose rows came latest. */
function lateText(streams: readonly StoredPosition[], lookbackMs: number): string {
  const latest = streams.reduce<StoredPosition | undefined>(
    (worst, stream) => (stream.latestMs > (worst?.latestMs ?? 0) ? stream : worst),
    undefined,
  );
  if (latest === undefined) return '';
  const seen = `Rows of ${latest.data} were first seen up to ${formatDuration(latest.latestMs)} after their time; the lookback is ${formatDuration(lookbackMs)}`;
  const wanted = suggestLookback(latest.latestMs);
  return wanted <= lookbackMs
    ? `${seen}, which finds them at the next sync.\n`
    : `${seen}.\n  To find such rows at the next sync rather than at the next reconcile, set in the config: lookback: ${wanted / 3_600_000}h\n`;
}

/** Lookbacks that people write, in milliseconds. */
const LOOKBACKS = [1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 8760].map((hours) => hours * 3_600_000);

/** The next lookback that holds the latest row with a fifth to spare. */
export function suggestLookback(latestMs: number): number {
  return LOOKBACKS.find((lookback) => lookback >= latestMs * 1.2) ?? LOOKBACKS.at(-1) ?? latestMs;
}

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
