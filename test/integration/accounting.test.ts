import { describe, expect, it } from 'vitest';
import { accountLab, type AccountLab } from '../support/accounts.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../src/shared/time.ts';

/** Every record is held as the API has it, and the stream says so. */
function expectExact(lab: AccountLab): void {
  const { right, held, truth } = lab.rows();
  expect({ right, held, reason: lab.position().reason }).toEqual({ right: truth, held: truth, reason: undefined });
}

describe('an API whose total is how many records it sent', () => {
  it('is read to its end even so, from the first page on', async () => {
    const it = await accountLab('events');
    it.arrive(450);
    it.faults.push({ kind: 'totalIsReturned' });
    await it.sync();
    expectExact(it);
    it.arrive(250);
    await it.sync();
    expectExact(it);
  });

  it('deletes nothing of what was read before', async () => {
    const it = await accountLab('events');
    it.arrive(450);
    await it.sync();
    it.faults.push({ kind: 'totalIsReturned' });
    for (let times = 0; times < 3; times++) {
      await it.sync();
      expectExact(it);
    }
    expect(it.history('deleted')).toBe(0);
  });

  it('is detected even if it cuts its first page', async () => {
    const it = await accountLab('events', { readings: { maxLimit: 30 } });
    it.arrive(200);
    it.faults.push({ kind: 'totalIsReturned' });
    await it.sync();
    expectExact(it);
  });
});

describe('rows that are dated ahead', () => {
  it('hide no later row, are kept, counted and named, and do not move the watermark', async () => {
    const it = await accountLab('events');
    await it.sync();
    it.happen({ kind: 'datedAhead', dataType: 'events', at: it.lab.now, byMs: 5 * 365 * 24 * HOUR });
    it.happen({ kind: 'datedAhead', dataType: 'events', at: it.lab.now, byMs: 2 * HOUR });
    for (let times = 0; times < 3; times++) {
      it.arrive(10);
      await it.sync();
      expectExact(it);
    }
    const { watermark = Infinity, doubts, datedAheadRows } = it.position();
    expect(watermark).toBeLessThan(it.lab.now);
    expect(datedAheadRows).toBe(2);
    expect(doubts).toMatchObject([
      { kind: 'dated-ahead', count: 2, text: expect.stringContaining('2 rows are dated in the future') as string },
    ]);
  });

  it('do no harm in a warehouse whose watermark an earlier version moved to them', async () => {
    const it = await accountLab('events');
    await it.sync();
    it.lab.warehouse.db.exec("UPDATE _streams SET watermark = '2031-01-01T00:00:00.000Z'");
    it.arrive(150);
    await it.sync();
    expectExact(it);
    expect(it.position().watermark).toBeLessThan(it.lab.now);
  });
});

describe('an answer that contradicts itself', () => {
  it.each([
    ['nothing, and counts all', 0],
    ['one row, and counts all', 1],
  ])('is requested again if it sends %s, and moves no watermark', async (_, rows) => {
    const it = await accountLab('events');
    await it.sync();
    it.faults.push({ kind: 'cutPage', dataTypes: ['events'], rows, times: 1 });
    await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });

  it('makes no first read complete', async () => {
    const it = await accountLab('events');
    it.faults.push({ kind: 'cutPage', dataTypes: ['events'], rows: 0 });
    expect(await it.sync()).toMatchObject({ status: 'incomplete', complete: false });
    expect(it.position().reason).toMatch(/the API counts \d+ records/);
    it.faults.length = 0;
    await it.sync();
    expectExact(it);
  });

  it('completes no full read that it ended too early, because an edit behind that place was not seen', async () => {
    const it = await accountLab('events', { readings: { maxLimit: 30 } });
    it.arrive(150);
    await it.sync();
    const isOld = ({ id }: { readonly id?: unknown }) => id === 'new_3';
    it.happen({ kind: 'enriched', dataType: 'events', at: it.lab.now, field: 'shown', of: isOld });
    // Once for the page of a range, once when it is requested again.
    it.faults.push({ kind: 'cutPage', dataTypes: ['events'], rows: 0, times: 2 });
    expect(await it.sync({ full: true })).toMatchObject({ complete: false });
    expect(it.position().reason).toContain('the API counts');
    await it.sync({ full: true });
    expectExact(it);
  });

  it('is no obstacle if each answer brings at least one row', async () => {
    const it = await accountLab('events');
    it.faults.push({ kind: 'cutPage', dataTypes: ['events'], rows: 1 });
    await it.sync();
    expectExact(it);
  });

  it('deletes nothing, however often it comes', async () => {
    const it = await accountLab('participants');
    await it.sync();
    const { held } = it.rows();
    it.faults.push({ kind: 'cutPage', dataTypes: ['participants'], rows: 0 });
    for (let times = 0; times < 4; times++) expect(await it.sync()).toMatchObject({ status: 'incomplete' });
    expect(it.rows().held).toBe(held);
  });
});

describe('rows that move', () => {
  it('are not taken for deleted when they are re-timed', async () => {
    const it = await accountLab('events');
    it.arrive(400);
    await it.sync();
    let left = 9;
    it.happen({
      kind: 'derivedAgain',
      dataType: 'events',
      at: it.lab.now,
      field: 'timestamp',
      byMs: -2 * HOUR,
      of: ({ id }) => /^new_3[89]\d$/.test(String(id)) && left-- > 0,
    });
    await it.sync();
    await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });
});

describe('rows that a time filter does not see', () => {
  it('are found by a listing if they have no readable time', async () => {
    const it = await accountLab('events');
    it.arrive(150);
    it.happen({ kind: 'oddTimes', dataType: 'events', at: it.lab.now });
    await it.sync();
    expectExact(it);
    it.arrive(120);
    it.happen({ kind: 'oddTimes', dataType: 'events', at: it.lab.now + 1 });
    await it.sync();
    expectExact(it);
  });

  it('are found even if an order leaves out records that lack the field', async () => {
    const it = await accountLab('events');
    it.faults.push({ kind: 'sortNeedsField' });
    it.arrive(150);
    it.happen({ kind: 'oddTimes', dataType: 'events', at: it.lab.now });
    await it.sync();
    expectExact(it);
  });

  it('are found if the server stores their times in another type', async () => {
    const it = await accountLab('events');
    it.faults.push({ kind: 'blindFilter', to: 0.6 });
    it.arrive(500);
    await it.sync();
    expectExact(it);
    for (let times = 0; times < 3; times++) {
      it.arrive(20);
      await it.sync();
      expectExact(it);
    }
    expect(it.history('deleted')).toBe(0);
  });

  it('are found if they come late, at any depth', async () => {
    const it = await accountLab('events');
    it.arrive(500);
    await it.sync();
    it.happen({ kind: 'late', dataType: 'events', at: it.lab.now, byMs: 40 * 24 * HOUR, count: 3 });
    await it.sync();
    expectExact(it);
  });
});

describe('a warned answer', () => {
  const warned = { kind: 'warned', scopes: ['experiment'] } as const;

  it("leaves a stream incomplete, with the API's own reason, if no room is known", async () => {
    const it = await accountLab('events');
    it.faults.push(warned);
    expect(await it.sync()).toMatchObject({ status: 'incomplete', complete: false });
    expect(it.position().reason).toContain('MISSING_INDEX');
  });

  it('does not make the rooms cover records that may belong to no room', async () => {
    const it = await accountLab('events', { also: ['rooms', 'experiments'] });
    it.happen({ kind: 'lobby', at: it.lab.now - 1, count: 3 });
    it.faults.push({ ...warned, dataTypes: ['events'] });
    expect(await it.sync()).toMatchObject({ status: 'incomplete' });
    const truth = it.lab.simulator.world.records('events', it.id, it.lab.now);
    const inNone = truth.filter(({ roomId, sessionId }) => roomId === undefined && sessionId === undefined);
    expect(inNone.length).toBeGreaterThan(3);
    expect(it.rows().truth - it.rows().right).toBe(inNone.length);
    it.faults.length = 0;
    await it.sync();
    expectExact(it);
  });

  it('is replaced by the answers for the rooms if every record has a room', async () => {
    const it = await accountLab('ratings/continuous', { also: ['rooms', 'experiments'] });
    it.faults.push({ ...warned, dataTypes: ['ratings/continuous'] });
    await it.sync();
    expectExact(it);
  });
});

describe('a warned answer that tells its records otherwise than their rooms do', () => {
  it.each(['chat', 'participants', 'components'])(
    'changes no row that is held, and history does not grow (%s)',
    async (data) => {
      const it = await accountLab(data, { also: ['rooms', 'experiments'] });
      await it.sync();
      it.faults.push(
        { kind: 'warned', dataTypes: [data], scopes: ['experiment'], lacks: 0.3 },
        { kind: 'nulled', dataTypes: [data], scopes: ['experiment'], fields: ['content', 'role', 'config'] },
      );
      for (let times = 0; times < 3; times++) await it.sync();
      const { right, truth } = it.rows();
      expect({ right, changed: it.history('changed') }).toEqual({ right: truth, changed: 0 });
    },
  );
});

describe('data that the server derives again', () => {
  it('are read whole, and the stream reports what changed', async () => {
    const it = await accountLab('events');
    it.arrive(450);
    await it.sync();
    it.happen({ kind: 'derivedAgain', dataType: 'events', at: it.lab.now, field: 'onset', byMs: 300 });
    // The newest page shows the change; behind all the rest, the same sync reads everything again.
    expect((await it.sync()).updated).toBe(it.rows().truth);
    expectExact(it);
    expect(it.position().doubts).toMatchObject([
      { kind: 'rederived', text: expect.stringMatching(/^onset changed in \d+ rows, as read on /) as string },
    ]);
  });

  it('are read whole also where more rows than a page holds came since, and few known ones are in view', async () => {
    const it = await accountLab('events');
    it.arrive(450);
    await it.sync();
    it.happen({ kind: 'derivedAgain', dataType: 'events', at: it.lab.now, field: 'onset', byMs: 300 });
    it.arrive(450, (i) => ({ timestamp: new Date(it.lab.now - 100 + i / 10).toISOString() }));
    await it.sync();
    expectExact(it);
  });

  it('are reported as a new field, not as changed data, if they only gain one', async () => {
    const it = await accountLab('events');
    it.arrive(450);
    await it.sync();
    it.happen({ kind: 'enriched', dataType: 'events', at: it.lab.now, field: 'stimulusMeta' });
    await it.sync();
    expectExact(it);
    expect(it.position().doubts).toEqual([]);
    const fields = it.lab.warehouse.db.prepare('SELECT field FROM _schema_changes').pluck().all();
    expect(fields).toEqual(['stimulusMeta']);
  });

  it('change in place if a record without an id gains a field', async () => {
    const it = await accountLab('components');
    await it.sync();
    const { held } = it.rows();
    it.happen({ kind: 'enriched', dataType: 'components', at: it.lab.now, field: 'componentVersion' });
    await it.sync();
    await it.sync();
    expectExact(it);
    expect(it.rows().held).toBe(held);
    expect(it.history('deleted')).toBe(0);
  });
});

describe('records that share an id', () => {
  it.each(['twins', 'listedTwice'] as const)(
    'are all kept, and no history grows on unchanged data (%s)',
    async (kind) => {
      const it = await accountLab('events');
      it.arrive(150);
      it.happen(
        kind === 'twins'
          ? { kind, dataType: 'events', at: it.lab.now }
          : { kind, dataType: 'events', at: it.lab.now, of: 0.1 },
      );
      await it.sync();
      await it.sync({ full: true });
      expectExact(it);
      const grown = it.history('changed');
      for (const full of [false, true, false]) await it.sync({ full });
      expectExact(it);
      expect(it.history('changed')).toBe(grown);
      expect(it.history('deleted')).toBe(0);
    },
  );
});

describe('rows that are gone', () => {
  it('are deleted if a second reading agrees, and are reported as missing until then', async () => {
    const it = await accountLab('events');
    it.arrive(300);
    await it.sync();
    it.lab.simulator.world.remove('events', it.id, ({ id }) => /^new_10\d$/.test(String(id)), it.lab.now + 1);
    expect(await it.sync()).toMatchObject({ status: 'incomplete', deleted: 0 });
    expect(it.position()).toMatchObject({ missingRows: 10 });
    expect(await it.sync()).toMatchObject({ status: 'ok', deleted: 10 });
    expectExact(it);
  });

  it('are withheld if they are too large a share of the stream within a day, even one after the other', async () => {
    const it = await accountLab('participants');
    await it.sync();
    const people = it.lab.simulator.world.records('participants', it.id, it.lab.now);
    expect(people.length).toBe(4);
    for (const [i, { id }] of people.entries()) {
      it.lab.simulator.world.remove('participants', it.id, (person) => person['id'] === id, it.lab.now + 1);
      await it.sync();
      await it.sync();
      expect(it.rows().held, `after ${i + 1} were removed`).toBe(i === 0 ? 3 : i === 1 ? 2 : 2);
    }
    expect(it.position()).toMatchObject({ withheldRows: 2, complete: false });
    await it.sync({ acceptDeletes: true });
    expect(it.rows().held).toBe(0);
  });
});

describe('a malformed record', () => {
  it('counts as held in quarantine, and costs no other request', async () => {
    const it = await accountLab('chat');
    let deep: unknown = 'deep';
    for (let level = 0; level < 1000; level++) deep = [deep];
    it.arrive(150);
    it.arrive(1, () => ({ content: deep }));
    await it.sync();
    expect(it.position()).toMatchObject({ quarantinedRecords: 1 });
    expect(it.position().doubts.map(({ kind }) => kind)).toEqual(['quarantined']);
    expect((await it.sync()).requests).toBe(1);
    it.lab.simulator.world.remove('chat', it.id, ({ content }) => content === deep, it.lab.now + 1);
    await it.sync();
    expectExact(it);
  });
});

describe('a page that the server is too slow for', () => {
  it('is requested as smaller ones, which is remembered', async () => {
    const it = await accountLab('events');
    it.arrive(300);
    it.faults.push({ kind: 'tooLarge', above: 20 });
    await it.sync();
    expectExact(it);
    const ofStream = () => it.lab.simulator.requests.filter(({ path }) => path.startsWith('/data/')).length;
    const before = ofStream();
    await it.sync();
    expect(ofStream() - before).toBe(1);
  });
});

describe('many rows of one instant at the end', () => {
  it('cost an idle sync at most three requests, even if their order changes in every answer', async () => {
    const it = await accountLab('events', { readings: { ties: 'shuffled' } });
    const at = new Date(it.lab.now - MINUTE).toISOString();
    it.arrive(350, () => ({ timestamp: at }));
    await it.sync();
    expectExact(it);
    const idle = await it.sync();
    expect(idle.requests).toBeLessThanOrEqual(3);
    expectExact(it);
  });
});

describe('agent decisions that are cut at the scope of the experiment', () => {
  it('are stored as the rooms have them, and history does not grow', async () => {
    const it = await accountLab('agent-decisions', {
      world: { experiments: 2, roomsPerExperiment: 2 },
      also: ['rooms', 'experiments'],
    });
    it.faults.push(
      { kind: 'truncated', scopes: ['experiment'], perRoom: 3 },
      { kind: 'nulled', dataTypes: ['agent-decisions'], scopes: ['experiment'], fields: ['reasoning', 'inputTokens'] },
    );
    for (let times = 0; times < 3; times++) await it.lab.sync();
    const agents = it.lab.simulator.world.experimentIds[1] ?? '';
    expect(it.lab.truth('agent-decisions', agents).length).toBeGreaterThan(6);
    expect(it.lab.mirrored('agent-decisions', agents)).toEqual(it.lab.truth('agent-decisions', agents));
    expect(it.history('changed')).toBe(0);
  });
});

describe('a late record that comes with more new ones than a page holds', () => {
  it('is found at the next sync, even if as many were found before', async () => {
    const it = await accountLab('sync', { world: { experiments: 1, roomsPerExperiment: 2, videoSeconds: 720 } });
    await it.sync();
    for (const count of [1, 1, 2, 2, 1]) {
      it.arrive(150);
      it.happen({ kind: 'late', dataType: 'sync', at: it.lab.now, byMs: 19 * HOUR, count });
      expect(await it.sync()).toMatchObject({ status: 'ok', inserted: 150 + count });
      expectExact(it);
    }
  });
});
