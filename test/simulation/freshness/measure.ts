/** Staleness of rows, counted in a histogram whose bins grow by 2 %: a month has millions of rows. */

const SMALLEST_MS = 10;
const GROWTH = Math.log(1.02);
const BINS = 1200;

export interface Staleness {
  add(ms: number, rows: number): void;
  readonly rows: number;
  /** The age in milliseconds that a share of the rows does not exceed; NaN without rows. */
  quantile(share: number): number;
  /** The share of rows no older than that. */
  within(ms: number): number;
}

export function createStaleness(): Staleness {
  const bins = new Float64Array(BINS);
  let rows = 0;
  const binOf = (ms: number) =>
    Math.min(BINS - 1, Math.max(0, Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / GROWTH)));
  return {
    add: (ms, n) => {
      const bin = binOf(ms);
      bins[bin] = (bins[bin] ?? 0) + n;
      rows += n;
    },
    get rows() {
      return rows;
    },
    quantile: (share) => {
      let seen = 0;
      for (let bin = 0; bin < BINS; bin++) {
        seen += bins[bin] ?? 0;
        if (seen > 0 && seen >= share * rows) return SMALLEST_MS * Math.exp(bin * GROWTH);
      }
      return NaN;
    },
    within: (ms) => bins.subarray(0, binOf(ms) + 1).reduce((sum, n) => sum + n, 0) / rows,
  };
}
