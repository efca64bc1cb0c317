import type { SimRecord } from './life.ts';

const MEASURES = ['timeDrift', 'playbackRate', 'syncQuality', 'latency', 'bufferHealth'] as const;

/** Sync metrics with one record for each participant and window of `windowMs`: the first record, with the means. */
export function aggregated(records: readonly SimRecord[], windowMs: number | undefined): readonly SimRecord[] {
  if (windowMs === undefined) return records;
  const time = (record: SimRecord) => Date.parse(String(record['timestamp']));
  const windows = Map.groupBy(
    records.toSorted((a, b) => time(a) - time(b)),
    (record) => JSON.stringify([record['roomId'], record['participantId'], Math.floor(time(record) / windowMs)]),
  );
  return [...windows.values()].map((inWindow) => ({
    ...inWindow[0],
    ...Object.fromEntries(MEASURES.map((measure) => [measure, mean(inWindow.map((record) => record[measure]))])),
  }));
}

/** The mean of the numbers among the values; a single value stays as it is. */
function mean(values: readonly unknown[]): unknown {
  if (values.length === 1) return values[0];
  const numbers = values.filter((value) => typeof value === 'number');
  return numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
