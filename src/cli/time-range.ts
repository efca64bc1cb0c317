import { datasetNamed } from '../datasets/registry.ts';
import { WarehouseError } from '../shared/errors.ts';
import { DAY_MS, formatTime, parseTime } from '../shared/time.ts';
import { hasTime, type Reread } from '../sync/reread.ts';

/** The flags of a sync that reads a range of time again. */
export interface RangeFlags {
  readonly from?: string;
  readonly to?: string;
  readonly data?: readonly string[];
  readonly full?: boolean;
  readonly dryRun?: boolean;
}

/**
 * The range that `--from` and `--to` name; undefined without both.
 * @param now milliseconds since 1970 UTC.
 * @throws WarehouseError USAGE for what is no time, for a range that is empty or lies ahead, and for what has no time.
 */
export function readTimeRange({ from, to, data = [], full, dryRun }: RangeFlags, now: number): Reread | undefined {
  if (from === undefined && to === undefined) return undefined;
  const [begins, ends] = [timeOf('--from', from), timeOf('--to', to)];
  if (full === true) throw usage('--full reads everything: leave it out, or leave out --from and --to.');
  if (begins !== undefined && begins >= now) throw usage(`--from ${from ?? ''} lies in the future.`);
  // Tomorrow's date as the end means all of today.
  if (ends !== undefined && ends > now + DAY_MS) throw usage(`--to ${to ?? ''} lies in the future.`);
  if (begins !== undefined && ends !== undefined && ends <= begins)
    throw usage(`--to ${to ?? ''} is not later than --from ${from ?? ''}. The range ends just before --to.`);
  const timeless = data.filter((name) => !hasTime(datasetNamed(name)));
  if (timeless.length > 0)
    throw usage(`Records of ${timeless.join(', ')} have no time: leave out --from and --to to read them.`);
  return {
    ...(begins === undefined ? {} : { from: begins }),
    ...(ends === undefined ? {} : { to: ends }),
    dryRun: dryRun === true,
  };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const date = text.slice(0, 10);
  // 30 February would be taken for 2 March.
  const midnight = DAY.test(date) ? parseTime(`${date}T00:00:00.000Z`) : undefined;
  const isDate = midnight !== undefined && formatTime(midnight).startsWith(date);
  const time = text === date ? midnight : parseTime(text);
  if (!isDate || time === undefined)
    throw usage(`${flag} ${text} is not a date or time: give one such as 2026-03-01 or 2026-03-01T09:30:00+01:00.`);
  return time;
}

function usage(message: string): WarehouseError {
  return new WarehouseError('USAGE', message);
}
