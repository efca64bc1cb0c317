import type { SimRecord } from './life.ts';
import type { Readings } from './readings.ts';
import { FIELD_FILTERS, TIME_FIELD, type Selected } from './select.ts';

/** What `metadata.query` repeats of a request: the parameters as given, or those that the endpoint parsed with its defaults. */
export function echo(
  dataType: string,
  query: URLSearchParams,
  { offset, limit }: Pick<Selected, 'offset' | 'limit'>,
  readings: Readings,
): SimRecord | undefined {
  if (readings.echo === 'missing') return undefined;
  if (readings.echo === 'given') return Object.fromEntries(query);
  const isSorted = readings.sort[dataType] === undefined;
  const field = TIME_FIELD[dataType];
  return {
    ...(takesTimes(dataType, readings) ? { startTime: query.get('startTime'), endTime: query.get('endTime') } : {}),
    limit,
    offset,
    ...(field === undefined ? {} : { sort: (isSorted ? query.get('sort') : null) ?? field }),
    order: (isSorted ? query.get('order') : null) ?? 'asc',
    ...fieldFilters(dataType, query, readings),
  };
}

/** Published answers of recordings echo no time filter, whatever the endpoint does with it. */
function takesTimes(dataType: string, { timeFilter }: Readings): boolean {
  return dataType !== 'recordings' && TIME_FIELD[dataType] !== undefined && timeFilter[dataType] === undefined;
}

function fieldFilters(dataType: string, query: URLSearchParams, { fieldFilter }: Readings): SimRecord {
  const names = fieldFilter[dataType] === undefined ? (FIELD_FILTERS[dataType] ?? []) : [];
  return Object.fromEntries(names.map((name) => [name, query.get(name)]));
}
