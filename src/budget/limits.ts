/**
 * The windows of the API's limits (HyperStudy API overview): 1000 requests per hour and key, 100 per minute and
 * endpoint. Whether windows roll and whether an endpoint is the data type or the whole path is not documented: counting
 * every request in rolling windows, and by data type, satisfies either reading.
 */

/** Our share of a limit: `reserve` of it is left to people's own scripts. At least one request. */
export function allowed(requests: number, reserve: number): number {
  return Math.max(1, Math.floor(requests * (1 - reserve)));
}
