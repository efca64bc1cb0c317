/**
 * The windows of the API's limits (HyperStudy API overview): 1000 requests an hour for a key, 100 a minute for an
 * endpoint. Whether windows roll and whether an endpoint is the data type or the whole path is not documented: counting
 * every request in rolling windows, and by data type, satisfies each reading.
 */

/** The share of a limit that is ours: `reserve` of it is left for people's own scripts. At least one request. */
export function allowed(requests: number, reserve: number): number {
  return Math.max(1, Math.floor(requests * (1 - reserve)));
}
