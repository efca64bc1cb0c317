import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import type { StreamResult } from '../../src/sync/stream.ts';
import { openBench, type Bench } from './bench.ts';
import { KINDS, run, type Kind, type Run } from './kinds.ts';
import { FAULTS, type Fault } from './matrix.ts';

/** How a run ended, and what it told people. */
interface End {
  readonly struck: number;
  readonly ran: Run | undefined;
  readonly thrown: unknown;
}

async function strike(kind: Kind, fault: Fault, bench: Bench, most: number): Promise<End> {
  const struck = bench.spoil({ hits: (request) => kind.hits(request, bench), most, strike: fault.strike });
  const client = bench.client(fault.timeoutMs ?? 5000);
  try {
    return { ran: await run(kind, bench, client), thrown: undefined, struck: struck() };
  } catch (thrown) {
    return { ran: undefined, thrown, struck: struck() };
  } finally {
    await client.close();
  }
}

/** The results of the struck streams; of a verification its verdict in the same words. */
function struckStreams(
  kind: Kind,
  bench: Bench,
  { ran, thrown }: End,
): { status: string; said: string; code: string }[] {
  if (ran === undefined) {
    if (!(thrown instanceof WarehouseError)) throw thrown;
    return [{ status: 'failed', said: thrown.message, code: thrown.code }];
  }
  if ('verdict' in ran) {
    const { status, reason = '' } = ran.verdict;
    return [{ status: status === 'unknown' ? 'failed' : 'ok', said: reason, code: '' }];
  }
  return ran.sync.streams
    .filter((stream) => isStruck(kind, bench, stream))
    .map((stream) => ({
      status: stream.status,
      said: stream.error?.message ?? reasonOf(bench, stream),
      code: stream.error?.code ?? '',
    }));
}

function isStruck(kind: Kind, bench: Bench, { data, room }: StreamResult): boolean {
  return data === kind.data && (kind.room === undefined || room === kind.room(bench));
}

function reasonOf({ warehouse }: Bench, { data }: StreamResult): string {
  return String(warehouse.db.prepare('SELECT group_concat(reason) FROM _streams WHERE data = ?').pluck().get(data));
}

/** The latest time of which the warehouse says that everything up to it is read; empty where it says nothing. */
function watermark({ warehouse }: Bench, { data }: Kind): string {
  const found = warehouse.db.prepare('SELECT max(watermark) FROM _streams WHERE data = ?').pluck().get(data);
  return typeof found === 'string' ? found : '';
}

/** The watermark stayed, or moved over rows only that were read. */
function expectSafeWatermark(kind: Kind, bench: Bench, before: Before): void {
  const now = watermark(bench, kind);
  if (now === before.watermark) return;
  const mirrored = new Set(bench.mirrored(kind.data));
  const unread = bench.world
    .records(kind.data, bench.experimentId, bench.now)
    .filter((record) => String(record['timestamp']) <= now && !mirrored.has(canonicalJson(record as Json)));
  expect(unread).toEqual([]);
}

function expectMirror(kind: Kind, bench: Bench, what: string): void {
  for (const data of [kind.data, ...kind.others])
    expect(bench.mirrored(data), `${what}: ${data}`).toEqual(bench.truth(data));
}

/** The stream is whole: the sync or the verification says so, and the tables hold the truth, nothing twice. */
function expectRight(kind: Kind, bench: Bench, end: End, what: string): void {
  expect(
    struckStreams(kind, bench, end).map(({ status, said }) => (status === 'ok' ? 'ok' : said)),
    what,
  ).toEqual(struckStreams(kind, bench, end).map(() => 'ok'));
  expectMirror(kind, bench, what);
}

/** The stream stopped with the right words, kept its watermark and its rows, and the others went on. */
function expectStopped(kind: Kind, fault: Fault, bench: Bench, end: End, before: Before): void {
  const streams = struckStreams(kind, bench, end);
  expect(streams.length).toBeGreaterThan(0);
  // Narrower requests may have got what the struck one lacked.
  if (fault.is === 'doubtful' && streams.every(({ status }) => status === 'ok')) {
    expectMirror(kind, bench, 'asked more narrowly');
    return;
  }
  for (const { status, said, code } of streams) {
    expect(status).toBe(
      fault.is === 'doubtful' && kind.run !== 'verify'
        ? 'incomplete'
        : // A scope that was there before is lost, which is a failure.
          fault.code === 'SCOPE_MISSING' && kind.run === undefined && before.rows.length === 0
          ? 'skipped'
          : 'failed',
    );
    // Where even the list is not known, the address is not the API's.
    const isNoApi = kind.name === 'the list of experiments' && fault.code === 'NOT_FOUND';
    const expected = isNoApi ? { code: 'ANSWER_UNREADABLE', says: /no list of experiments/ } : fault;
    if (code !== '' && expected.code !== undefined) expect(code).toBe(expected.code);
    if (expected.says !== undefined) expect(said).toMatch(expected.says);
    expect(said).not.toContain(DEMO_KEY);
  }
  expectSafeWatermark(kind, bench, before);
  expectNothingLostOrInvented(kind, bench, before);
  if (end.ran === undefined || !('sync' in end.ran)) return;
  const others = end.ran.sync.streams.filter((stream) => !isStruck(kind, bench, stream));
  expect(others.filter(({ status }) => status !== 'ok')).toEqual([]);
  for (const data of kind.others) expect(bench.mirrored(data), data).toEqual(bench.truth(data));
}

interface Before {
  readonly watermark: string;
  readonly rows: readonly string[];
}

/** Every row is one that was there or that the API holds, none is there twice, and they are no fewer. */
function expectNothingLostOrInvented(kind: Kind, bench: Bench, { rows }: Before): void {
  const after = bench.mirrored(kind.data);
  const known = new Set([...rows, ...bench.truth(kind.data)]);
  expect(after.filter((row) => !known.has(row))).toEqual([]);
  expect(new Set(after).size).toBe(after.length);
  expect(after.length).toBeGreaterThanOrEqual(rows.length);
}

/** Whether a sync comes to the truth although the fault strikes. */
function isPassedOver(kind: Kind, fault: Fault, strikes: 'once' | 'always'): boolean {
  if (fault.is === 'parameters') return kind.adaptsTo400 === 'always' || kind.adaptsTo400 === strikes;
  if (fault.is === 'doubtful') return kind.onWarning !== undefined;
  return fault.is === 'harmless' || (strikes === 'once' && ['passing', 'waiting'].includes(fault.is));
}

/** What is harmless every time is harmless once; what lasts ends the stream at its first strike. */
function rounds({ is }: Fault): readonly ('once' | 'always')[] {
  return ['harmless', 'lasting', 'refused'].includes(is) ? ['always'] : ['once', 'always'];
}

/**
 * `npm run matrix` plays every cell. Otherwise each kind meets a sixth of the faults, and each fault a sixth of the kinds:
 * half of them in `npm test`, which is to stay short, and the other half in `npm run test:rest`.
 */
const PART = process.env['HSW_MATRIX'];
const [STEP, FIRST] = PART === 'all' ? [1, 0] : [12, PART === 'other' ? 6 : 0];

describe.each(KINDS)('$name', (kind) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench({ pageSize: kind.pageSize ?? 20 });
    await kind.before(bench);
  });
  afterAll(() => bench.close());

  const offset = KINDS.indexOf(kind);
  it.each(FAULTS.filter((_, i) => (i + offset) % STEP === FIRST))('struck by $name ends well', async (fault) => {
    const before = { watermark: watermark(bench, kind), rows: bench.mirrored(kind.data) };
    for (const strikes of rounds(fault)) {
      await bench.undoing(async () => {
        const end = await strike(kind, fault, bench, strikes === 'once' ? 1 : Infinity);
        expect(end.struck).toBeGreaterThan(0);
        if (isPassedOver(kind, fault, strikes)) expectRight(kind, bench, end, strikes);
        else {
          expectStopped(kind, fault, bench, end, before);
          expectRight(kind, bench, await strike(kind, fault, bench, 0), 'the sync after that');
        }
      });
    }
  });
});

describe('the matrix', () => {
  it('strikes data types that exist', () => {
    for (const { data, others } of KINDS)
      for (const name of [data, ...others]) expect(datasetNamed(name).name).toBe(name);
  });
});
