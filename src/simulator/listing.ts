import { isAmong, type FaultOf, type Faults, type Target, type Which } from './faults.ts';
import { echo } from './echo.ts';
import type { Entry } from './catalogue/entry.ts';
import type { SimRecord } from './life.ts';
import type { Random } from './random.ts';
import type { Readings } from './readings.ts';
import { ApiError, csvReply, jsonReply, ndjsonReply, type SimReply, type SimRequest } from './reply.ts';
import { readCount, selectPage, type Selected } from './select.ts';
import { shown } from './shown.ts';

/** A list of records and the request that it answers. */
export interface Listing extends Target {
  readonly id: string;
  readonly entry: Entry | undefined;
  readonly records: readonly SimRecord[];
  readonly request: SimRequest;
  readonly readings: Readings;
  readonly faults: Faults;
  /** Further members of the metadata. */
  readonly extra: SimRecord;
  readonly random: Random;
  readonly startedAt: string | null;
}

/** A list in the envelope, or in the requested format. */
export function listing(asked: Listing): SimReply {
  const { dataType, entry, scope, request, readings, faults, random } = asked;
  const warned = warning(asked);
  const lacks = warned === undefined ? lagging(asked) : (warned.lacks ?? 1);
  const records = present(asked, lacks);
  const isUnpaged = entry?.isUnpaged === true || scope === 'none';
  const selected = isUnpaged
    ? { page: records, total: records.length, offset: 0, limit: records.length }
    : selectPage(records, { entry, query: request.query, readings, random, faults, target: asked });
  const isCounted = !isUnpaged && readings.total !== 'missing' && pagesAreTold(readings, dataType) !== 'missing';
  const cut = isCounted ? faults.strike('cutPage', asked) : undefined;
  const nulled = faults.strike('nulled', asked)?.fields ?? [];
  const page = repeating(asked, selected.page.slice(0, cut?.rows)).map((record) =>
    shown(dataType, withNulls(record, nulled), readings, random),
  );
  if (page.length > (faults.strike('tooLarge', asked)?.above ?? Infinity)) return tooLarge();
  const format = request.query.get('format') ?? 'json';
  if (format === 'csv') return csvReply(page);
  if (format === 'ndjson') return ndjsonReply(page);
  if (format !== 'json') throw new ApiError(400, 'format must be json, csv or ndjson');
  const isReturned = cut === undefined && faults.strike('totalIsReturned', asked) !== undefined;
  const counted = isReturned ? page.length : selected.total;
  const hasMore = !isReturned && cut === undefined && selected.offset + page.length < counted;
  const said = { ...selected, page, total: counted, hasMore };
  return jsonReply({ status: 'success', data: page, metadata: metadata(asked, said, isUnpaged, warned !== undefined) });
}

/** The records from which the answer is made. */
function present(asked: Listing, lacks: Which | undefined): readonly SimRecord[] {
  const { records, faults } = asked;
  const listed = records.slice(0, faults.strike('cutList', asked)?.after);
  const there = lacks === undefined ? listed : listed.filter((record) => !isAmong(lacks, record));
  const replaced = faults.strike('replaced', asked)?.of;
  return replaced === undefined ? there : replacing(there, (record) => isAmong(replaced, record));
}

/** The warning that an answer has. */
function warning({ faults, request, ...target }: Listing): FaultOf<'warned'> | undefined {
  const warned = faults.strike('warned', target);
  const isFiltered = request.query.has('startTime') || request.query.has('endTime');
  return warned?.isFiltered === true && !isFiltered ? undefined : warned;
}

/** Which records a stale answer lacks. */
function lagging({ faults, request, ...target }: Listing): Which | undefined {
  const { lacks, maxLimit = Infinity } = faults.strike('lagging', target) ?? {};
  return readCount(request.query, 'limit', 0) > maxLimit ? undefined : lacks;
}

/** The records with the nearest of the others before it in the place of each that is replaced. */
function replacing(records: readonly SimRecord[], isReplaced: (record: SimRecord) => boolean): readonly SimRecord[] {
  return records.map(
    (record, i) =>
      (isReplaced(record) ? records.slice(0, i).findLast((other) => !isReplaced(other)) : undefined) ?? record,
  );
}

/** The page with one of its records in the place of the next one as well, if it is struck. */
function repeating(asked: Listing, page: readonly SimRecord[]): readonly SimRecord[] {
  if (page.length < 2 || asked.faults.strike('repeated', asked) === undefined) return page;
  const again = asked.random.int(1, page.length - 1);
  return page.map((record, i) => (i === again ? (page[i - 1] ?? record) : record));
}

function withNulls(record: SimRecord, fields: readonly string[]): SimRecord {
  const there = fields.filter((field) => field in record);
  return there.length === 0 ? record : { ...record, ...Object.fromEntries(there.map((field) => [field, null])) };
}

function metadata(
  { dataType, entry, scope, id, now, request, readings, extra, startedAt }: Listing,
  selected: Selected & { hasMore: boolean },
  isUnpaged: boolean,
  isWarned: boolean,
): SimRecord {
  const query = echo(dataType, entry, request.query, selected, readings);
  return {
    dataType,
    scope,
    scopeId: id,
    timestamp: new Date(now).toISOString(),
    ...(query === undefined ? {} : { query }),
    processing: { experimentStartedAt: startedAt, processingTimeMs: 3, enriched: true, version: '3.0.0' },
    ...(isUnpaged ? {} : pagination(dataType, selected, readings)),
    ...extra,
    ...(isWarned ? { _warnings: [`MISSING_INDEX: ${dataType} needs an index. Results may be incomplete.`] } : {}),
  };
}

function pagination(
  dataType: string,
  { page, total, offset, limit, hasMore }: Selected & { hasMore: boolean },
  readings: Readings,
): SimRecord {
  const where = pagesAreTold(readings, dataType);
  const counted = readings.total === 'missing' ? {} : { total: readings.total === 'wrong' ? total + 7 : total };
  if (where === 'missing') return {};
  if (where === 'flat') return { ...counted, limit, offset };
  const next = hasMore ? { nextOffset: offset + page.length } : {};
  return { pagination: { ...counted, returned: page.length, limit, offset, hasMore, ...next } };
}

function pagesAreTold({ pagination: reading }: Readings, dataType: string): 'sent' | 'flat' | 'missing' {
  if (typeof reading === 'string') return reading;
  if (reading.missingFor.includes(dataType)) return 'missing';
  return reading.flatFor?.includes(dataType) === true ? 'flat' : 'sent';
}

/** The answer of a gateway that gave up waiting; its body is not JSON. */
function tooLarge(): SimReply {
  return { status: 504, headers: { 'content-type': 'text/html' }, body: '<html>504 Gateway Time-out</html>' };
}
