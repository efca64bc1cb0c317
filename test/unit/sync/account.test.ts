import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise, type BadRecord, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { JsonObject } from '../../../src/shared/json.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { openCostMeter } from '../../../src/read/cost.ts';
import { takeAccount, type Account } from '../../../src/sync/account.ts';
import { openTraits } from '../../../src/read/endpoint-traits.ts';
import { NOTHING_READ, type Reading, type Session } from '../../../src/read/session.ts';
import { committing } from '../../../src/read/sink.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { configFor, temporaryFolder } from '../../support/lab.ts';
import { fakeReader, malformed, message, spaced, type FakeApi, type FakeReader } from '../../support/fake-reader.ts';

interface Books {
  readonly reader: FakeReader;
  readonly session: Session;
  /** What an account comes to, and how many requests it took. */
  readonly account: (reading?: Partial<Reading>, isStrict?: boolean) => Promise<Account & { requests: number }>;
}

/** A warehouse that holds some records, beside an API of which a test says what it holds. */
function books(held: readonly JsonObject[], api: readonly JsonObject[] = held, change: Partial<FakeApi> = {}): Books {
  const path = join(temporaryFolder(), 'w.db');
  const warehouse = openWarehouse(path, { clock: systemClock, history: false });
  onTestFinished(() => warehouse.close());
  const reader = fakeReader(api, change);
  const { stream } = reader;
  const unused = () => {
    throw new Error('an account asks no one but the reader');
  };
  const session: Session = {
    stream,
    reader,
    meter: openCostMeter(),
    traits: openTraits(warehouse.db, stream, () => 0),
    warehouse,
    sink: committing(warehouse, stream),
    client: { get: unused, health: unused, description: unused, tryKeyAgain: unused, tries: 0, close: unused },
    config: configFor('', path),
    clock: systemClock,
    log: silentLog,
    signal: undefined,
    startedAt: 0,
    full: false,
    acceptDeletes: false,
    confirmAfterMs: 0,
    inRoom: unused,
    readerOf: unused,
  };
  const { rows, bad } = rowsOf(held, stream.dataset.name);
  session.sink.take({ rows, bad });
  return {
    reader,
    session,
    account: async (reading = {}, isStrict = false) => {
      const account = await takeAccount(session, { ...NOTHING_READ, ...reading }, isStrict);
      return { ...account, requests: reader.requests.length };
    },
  };
}

/** The rows that these records make. */
function rowsOf(records: readonly JsonObject[], data: string) {
  const rows: Row[] = [];
  const bad: BadRecord[] = [];
  for (const record of records) {
    const row = normalise(datasetNamed(data), record, { experimentId: 'exp_1' });
    if ('reason' in row) bad.push(row);
    else rows.push(row);
  }
  return { rows, bad };
}

/** What a short answer that is shown to be the last says. */
const shown = (count: number): Partial<Reading> => ({ total: count, met: count, isShown: true });
const SILENT: Partial<FakeApi> = { pagination: 'absent' };

describe('an account that costs no request', () => {
  it('is balanced if the reading proved that it was complete and agrees with the total', async () => {
    expect(await books(spaced(3)).account(shown(3))).toEqual({
      held: 3,
      truth: 3,
      total: 3,
      isOff: undefined,
      doubts: [],
      requests: 0,
    });
  });

  it('is based on the records that came if the API counts none', async () => {
    expect(await books(spaced(3)).account({ met: 3, isShown: true })).toMatchObject({ held: 3, truth: 3, requests: 0 });
  });

  it('says how many surplus records are held', async () => {
    expect(await books(spaced(5)).account(shown(3))).toMatchObject({ held: 5, truth: 3, requests: 0 });
  });

  it('counts quarantined records with the rows', async () => {
    const records = [...spaced(3), malformed(40)];
    expect(await books(records).account(shown(4))).toMatchObject({ held: 4, truth: 4, requests: 0 });
  });

  it.each(['warned', 'cut'] as const)('is unknown if the reading was %s', async (kind) => {
    const reading = { ...shown(3), doubts: [{ kind, text: 'records are lacking' }] };
    expect(await books(spaced(3)).account(reading, true)).toMatchObject({ truth: undefined, total: 3, requests: 0 });
  });

  it('is the sum of the rooms if they cover the whole stream', async () => {
    expect(await books(spaced(3)).account({ met: 3, byRoom: true }, true)).toMatchObject({ truth: 3, requests: 0 });
  });

  it('relies on the total if the endpoint ignores offset, because no other request can show more', async () => {
    const { account, session } = books(spaced(3));
    session.traits.learn({ offsetIgnored: true }, 'a test');
    expect(await account({ total: 5 }, true)).toMatchObject({ held: 3, truth: 5, total: 5, requests: 0 });
  });

  it('is in doubt if the endpoint ignores offset and counts nothing', async () => {
    const { account, session } = books(spaced(3));
    session.traits.learn({ offsetIgnored: true }, 'a test');
    const { truth, doubts, requests } = await account({}, true);
    expect({ truth, kinds: doubts.map(({ kind }) => kind), requests }).toEqual({
      truth: undefined,
      kinds: ['unproven'],
      requests: 0,
    });
  });
});

describe('a request for the record at the last held place', () => {
  it('is sent if the reading proves nothing, and brings exactly one record if the counts agree', async () => {
    const { account, reader, session } = books(spaced(7));
    expect(await account()).toMatchObject({ held: 7, truth: 7, total: 7, isOff: undefined, doubts: [], requests: 1 });
    expect(reader.requests).toEqual([{ offset: 6, limit: 50, order: 'asc' }]);
    expect(session.traits.known.totalProven).toBe(7);
  });

  it.each([
    ['the total differs from the records met', { total: 7, met: 6, isShown: true }],
    ['nothing but its own words shows that the reading was all', { total: 7, met: 7, isShown: false }],
    ['the reading came with neither a total nor a count', { isShown: true }],
  ])('is sent if %s', async (_why, reading) => {
    expect(await books(spaced(7)).account(reading)).toMatchObject({ truth: 7, requests: 1 });
  });

  it('is enough if the API counts nothing', async () => {
    expect(await books(spaced(7), undefined, SILENT).account()).toMatchObject({
      truth: 7,
      total: undefined,
      isOff: undefined,
      doubts: [],
    });
  });

  it('brings no record in an empty stream', async () => {
    const { account, reader } = books([]);
    expect(await account()).toMatchObject({ held: 0, truth: 0, doubts: [], requests: 1 });
    expect(reader.requests).toEqual([{ offset: 0, limit: 50, order: 'asc' }]);
  });

  it('counts the places of quarantined records', async () => {
    const { account, reader } = books([malformed(1), ...spaced(3)]);
    expect(await account()).toMatchObject({ held: 4, truth: 4, requests: 1 });
    expect(reader.requests[0]?.offset).toBe(3);
  });

  it('names no order if the endpoint refuses one', async () => {
    const { account, reader, session } = books(spaced(3));
    session.traits.learn({ sortRefused: true }, 'a test');
    expect(await account()).toMatchObject({ truth: 3 });
    expect(reader.requests).toEqual([{ offset: 2, limit: 50 }]);
  });

  it('brings rows that have just come, which are stored', async () => {
    const { account, reader } = books(spaced(4));
    reader.api.before = (answer) => {
      if (answer === 1) reader.api.records.push(message('new1', 50), message('new2', 60));
    };
    expect(await account()).toMatchObject({ held: 6, truth: 6, total: 6, isOff: undefined, requests: 1 });
    expect(reader.requests.map(({ offset }) => offset)).toEqual([3]);
  });

  it('brings no edit of a stored row, as it may be the other record of its id', async () => {
    const { account, session } = books(spaced(3), [...spaced(3), message('m1', 3_600_000)]);
    expect(await account({}, true)).toMatchObject({ held: 3, isOff: 'lacking' });
    const times = session.warehouse.db.prepare('SELECT timestamp FROM chat ORDER BY timestamp').pluck().all();
    expect(times).toEqual([10, 20, 30].map((ms) => message('', ms)['timestamp']));
  });

  it.each([undefined, SILENT])(
    'brings a new row in the place of one that is gone, which is then a surplus (%j)',
    async (silent) => {
      const { account, session } = books(spaced(4), [...spaced(4).slice(1), message('new', 90)], silent);
      expect(await account({}, true)).toMatchObject({ held: 5, truth: 4, isOff: 'surplus', requests: 1 });
      expect(session.traits.known.totalProven).toBeUndefined();
    },
  );

  it('settles the state at the time of its answer while rows keep coming', async () => {
    const { account, reader } = books(spaced(4));
    reader.api.before = (answer) => reader.api.records.push(message(`new${answer}`, 100 + answer));
    expect(await account()).toMatchObject({ held: 5, truth: 5, isOff: undefined, requests: 1 });
  });

  it('brings no record if fewer exist than are held', async () => {
    expect(await books(spaced(7), spaced(5)).account()).toMatchObject({ held: 7, truth: 5, isOff: 'surplus' });
  });

  it('brings no record if fewer exist than are held and their number is unknown', async () => {
    const account = await books(spaced(7), spaced(5), SILENT).account();
    expect(account).toMatchObject({ held: 7, truth: undefined, isOff: 'surplus', requests: 1 });
  });

  it('shows nothing if its answer sent another number of records than it says', async () => {
    const { account } = books(spaced(7), undefined, { lie: (page) => ({ ...page, reportedReturned: 0 }) });
    expect(await account()).toMatchObject({
      truth: undefined,
      doubts: [{ kind: 'contradiction', text: 'the API says that it sent 0 records, but sent 1' }],
    });
  });

  it('leaves it in doubt that a row is gone if its answer counts more than it sends', async () => {
    const { account } = books(spaced(7), spaced(6), { lie: (page) => ({ ...page, total: 60 }) });
    expect(await account({ met: 6 })).toMatchObject({
      isOff: 'surplus',
      doubts: [{ kind: 'contradiction', text: 'the API counts 60 records, but sent none after the first 6' }],
    });
  });

  it('brings stored records as well if late rows lie before that place', async () => {
    const { account } = books(spaced(7), [message('late1', 1), message('late2', 2), ...spaced(7)]);
    expect(await account()).toMatchObject({ held: 7, truth: 9, total: 9, isOff: 'lacking', doubts: [] });
  });

  it('brings several records if late rows lie before that place and their number is unknown', async () => {
    const { account } = books(spaced(7), [message('late', 1), ...spaced(7)], SILENT);
    expect(await account()).toMatchObject({ held: 7, truth: undefined, isOff: 'lacking' });
  });

  it('proves nothing if its answer is warned, and keeps the doubts of that answer', async () => {
    const doubts = [{ kind: 'warned', text: 'an index is missing' } as const];
    const { account, session } = books(spaced(3), undefined, { lie: (page) => ({ ...page, doubts }) });
    expect(await account({ total: 3 })).toMatchObject({ truth: undefined, total: 3, doubts, requests: 1 });
    expect(session.traits.known.totalProven).toBeUndefined();
  });
});

describe('a total that is not what the API lists', () => {
  const counts = (total: number): Partial<FakeApi> => ({ lie: (page) => ({ ...page, total }) });

  it('counts as missing records if it is larger', async () => {
    const account = await books(spaced(5), undefined, counts(7)).account();
    expect(account).toMatchObject({ held: 5, truth: 7, total: 7, doubts: [] });
  });

  it('gives way to the listing if it is smaller and the same answer shows that', async () => {
    const { account } = books(spaced(5), undefined, counts(3));
    expect(await account()).toMatchObject({ truth: 5, total: undefined, isOff: undefined, doubts: [], requests: 2 });
    expect(await account({ total: 3 })).toMatchObject({ truth: 5, total: 3, doubts: [] });
  });

  it('is a doubt if it is smaller and only another answer shows that', async () => {
    const { truth, doubts } = await books(spaced(5), undefined, SILENT).account({ total: 3 });
    expect(truth).toBe(5);
    expect(doubts).toEqual([{ kind: 'contradiction', text: 'the API counts 3 records, but lists 5' }]);
  });
});

describe('an endpoint that ignores offset', () => {
  it('is detected by a second request and remembered, and its total counts', async () => {
    const { account, session } = books(spaced(3), undefined, { offset: 'ignored', mostRecords: 3 });
    expect(await account({ total: 3 })).toMatchObject({ held: 3, truth: 3, isOff: undefined });
    expect(session.traits.known.offsetIgnored).toBe(true);
  });

  it('leaves a doubt if it counts nothing', async () => {
    const { account } = books(spaced(3), spaced(9), { ...SILENT, offset: 'ignored', mostRecords: 3 });
    const { truth, doubts } = await account();
    expect(truth).toBeUndefined();
    expect(doubts.map(({ kind }) => kind)).toEqual(['unproven']);
  });

  it('is not confused with an endpoint that has late rows', async () => {
    const { account, session } = books(spaced(7), [message('late', 1), ...spaced(7)]);
    await account();
    expect(session.traits.known.offsetIgnored).toBeUndefined();
  });
});

describe('an account of rows without a readable time', () => {
  // The record that is new fills the place of the one that the order leaves out.
  it.each([undefined, SILENT])('does not rely on an order that may leave them out (%j)', async (silent) => {
    const [first, ...others] = spaced(4);
    const held = [message('timeless'), ...others];
    const api = [...held.slice(0, 1), ...(first === undefined ? [] : [first]), ...others];
    const account = await books(held, api, { order: 'omits', ...silent }).account();
    expect(account).toMatchObject({ held: 4, isOff: 'lacking' });
  });
});

describe('a strict account', () => {
  it('always sends a request, and without an order', async () => {
    const { account, reader } = books(spaced(3));
    expect(await account(shown(3), true)).toMatchObject({ truth: 3, requests: 1 });
    expect(reader.requests).toEqual([{ offset: 2, limit: 50 }]);
  });

  it('finds a record that a sorted request leaves out', async () => {
    const withTimeless = [...spaced(3), message('timeless')];
    const sorted = books(spaced(3), withTimeless, { order: 'omits' });
    expect(await sorted.account()).toMatchObject({ held: 3, truth: 3 });
    const strict = books(spaced(3), withTimeless, { order: 'omits' });
    expect(await strict.account({}, true)).toMatchObject({ held: 4, truth: 4, total: 4, isOff: undefined });
  });

  it('says that records are missing if an order leaves out one at another place', async () => {
    const { account } = books(spaced(3), [message('timeless'), ...spaced(3)], { order: 'omits' });
    expect(await account({}, true)).toMatchObject({ held: 3, isOff: 'lacking' });
  });

  // The sorted answer, which omits the record as well, has the last word on how many there are.
  it('says how many records are missing by the count of the answer without an order', async () => {
    const { account } = books(spaced(3), [message('timeless'), ...spaced(3)], { order: 'omits' });
    expect(await account({}, true)).toMatchObject({ truth: 4, total: 4 });
  });

  it('does not rely on the total of the reading', async () => {
    const account = await books(spaced(3), undefined, SILENT).account({ total: 9 }, true);
    expect(account).toMatchObject({ truth: 3, total: undefined });
  });

  it('finds rows that have just come at the end of the order of time', async () => {
    const { account, reader } = books(spaced(3));
    reader.api.before = (answer) => {
      if (answer === 1) reader.api.records.unshift(message('new', 90));
    };
    expect(await account({}, true)).toMatchObject({ held: 4, truth: 4, isOff: undefined });
    expect(reader.requests.map(({ order }) => order)).toEqual([undefined, undefined, 'asc', undefined]);
  });
});

describe('an endpoint that refuses an order', () => {
  it('is counted without one, and is not sent one again', async () => {
    const { session, reader } = books(spaced(3));
    const page: Session['reader']['page'] = (request) =>
      request.order === undefined
        ? reader.page(request)
        : Promise.reject(new WarehouseError('PARAMETER_REFUSED', 'the API refused order'));
    const refusing = { ...session, reader: { ...reader, page } };
    expect(await takeAccount(refusing, NOTHING_READ, false)).toMatchObject({ held: 3, truth: 3, doubts: [] });
    expect(session.traits.known.sortRefused).toBe(true);
  });

  it('stops the account if it refuses the request without an order as well', async () => {
    const { session, reader } = books(spaced(3));
    const page = () => Promise.reject(new WarehouseError('PARAMETER_REFUSED', 'the API refused offset'));
    const refusing = { ...session, reader: { ...reader, page } };
    await expect(takeAccount(refusing, NOTHING_READ, false)).rejects.toThrow('refused offset');
  });
});
