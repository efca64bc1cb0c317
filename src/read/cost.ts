/** What reading a stream has cost so far. */
export interface Cost {
  readonly requests: number;
  /** Records in the answers, malformed ones and repeats included. */
  readonly records: number;
}

/** Adds up the cost of reading a stream, which the reader of the stream and those of its rooms share. */
export interface CostMeter {
  readonly countRequest: () => void;
  readonly countRecords: (records: number) => void;
  readonly cost: () => Cost;
}

export function openCostMeter(): CostMeter {
  let cost: Cost = { requests: 0, records: 0 };
  return {
    countRequest() {
      cost = { ...cost, requests: cost.requests + 1 };
    },
    countRecords(records) {
      cost = { ...cost, records: cost.records + records };
    },
    cost: () => cost,
  };
}
