import type { Db } from '../../src/warehouse/open.ts';
import { strikes, type Run } from './state.ts';

/** What was learned of an endpoint, by its names (`read/endpoint-traits.ts`). */
type Learned = Readonly<Record<string, { readonly at: number; readonly evidence: string }>>;

/** Whether the API behaves as a trait says. */
const IS_SO: Readonly<Record<string, (run: Run, data: string) => boolean>> = {
  startTimeIgnored: isNotByTime,
  startTimeRefused: isNotByTime,
  endTimeRefused: isNotByTime,
  endTime: isNotByTime,
  descendingIgnored: ({ readings }, data) => readings.sort[data] !== undefined,
  sortRefused: ({ readings }, data) => readings.sort[data] !== undefined,
  offsetIgnored: () => false,
};

/**
 * What a sync learned of the API that is not so, although every answer about the data type was right. Nothing is lost by
 * it, as the next way of reading is a whole listing; that costs all pages of the stream, for a week.
 * @param isUndisturbed no request of the sync was lost.
 */
export function wronglyLearned(run: Run, db: Db, isUndisturbed: boolean): string[] {
  if (!isUndisturbed) return [];
  const began = run.starts.at(-1) ?? 0;
  const endpoints = db
    .prepare<[], { endpoint: string; learned: string }>('SELECT endpoint, learned FROM _endpoints')
    .all();
  return endpoints.flatMap(({ endpoint, learned }) => {
    const [data = ''] = endpoint.split(' ');
    if (run.wrong.some((fault) => strikes(fault, data))) return [];
    return Object.entries(JSON.parse(learned) as Learned)
      .filter(([name, { at }]) => at >= began && IS_SO[name]?.(run, data) === false)
      .map(([name, { evidence }]) => `${data}: learned ${name}, which is not so (${evidence})`);
  });
}

/** Whether the API takes no time filter or no order for a data type: it is then read in the same way. */
function isNotByTime({ readings }: Run, data: string): boolean {
  return readings.timeFilter[data] !== undefined || readings.sort[data] !== undefined;
}
