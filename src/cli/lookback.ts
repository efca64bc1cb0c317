import { formatDuration, HOUR_MS } from '../shared/time.ts';
import type { StoredPosition } from '../warehouse/positions.ts';

/** What the observed delays say about the lookback, from the stream whose rows arrived latest. */
export function lateText(streams: readonly StoredPosition[], lookbackMs: number): string {
  const latest = streams.reduce<StoredPosition | undefined>(
    (worst, stream) => (stream.latestMs > (worst?.latestMs ?? 0) ? stream : worst),
    undefined,
  );
  if (latest === undefined) return '';
  const seen = `Rows of ${latest.data} were first seen up to ${formatDuration(latest.latestMs)} after their time; the lookback is ${formatDuration(lookbackMs)}`;
  const wanted = suggestLookback(latest.latestMs);
  return wanted <= lookbackMs
    ? `${seen}.\n`
    : `${seen}.\n  The next sync finds such rows in any case; to save requests, set in the config: lookback: ${wanted / HOUR_MS}h\n`;
}

/** Round lookbacks, in milliseconds. */
const LOOKBACKS = [1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 8760].map((hours) => hours * HOUR_MS);

/** The smallest of these that covers the latest row with a fifth to spare. */
export function suggestLookback(latestMs: number): number {
  return LOOKBACKS.find((lookback) => lookback >= latestMs * 1.2) ?? LOOKBACKS.at(-1) ?? latestMs;
}
