import type { SimRecord } from './life.ts';
import type { Readings } from './readings.ts';
import type { Entry } from './catalogue/entry.ts';
import type { Selected } from './select.ts';

/** The request in `metadata.query`: its parameters as given, or as the endpoint parsed them, with its defaults. */
export function echo(
  dataType: string,
  entry: Entry | undefined,
  query: URLSearchParams,
  { offset, limit }: Pick<Selected, 'offset' | 'limit'>,
  readings: Readings,
): SimRecord | undefined {
  if (readings.echo === 'missing') return undefined;
  if (readings.echo === 'given') return Object.fromEntries(query);
  const isSorted = readings.sort[dataType] === undefined;
  const field = entry?.time;
  return {
    ...(takesTimes(dataType, entry, readings)
      ? { startTime: query.get('startTime'), endTime: query.get('endTime') }
      : {}),
    limit,
    offset,
    ...(field === undefined ? {} : { sort: (isSorted ? query.get('sort') : null) ?? field }),
    order: (isSorted ? query.get('order') : null) ?? 'asc',
    ...fieldFilters(dataType, entry, query, readings),
  };
}

/** Published answers of recordings never echo a time filter, whether the endpoint honours it or not. */
function takesTimes(dataType: string, entry: Entry | undefined, { timeFilter }: Readings): boolean {
  return dataType !== 'recordings' && entry?.time !== undefined && timeFilter[dataType] === undefined;
}

function fieldFilters(
  dataType: string,
  entry: Entry | undefined,
  query: URLSearchParams,
  { fieldFilter }: Readings,
): SimRecord {
  const names = fieldFilter[dataType] === undefined ? (entry?.filters ?? []) : [];
  return Object.fromEntries(names.map((name) => [name, query.get(name)]));
}
