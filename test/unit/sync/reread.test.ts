import { describe, expect, it } from 'vitest';
import { rereadStream, type Reread } from '../../../src/sync/reread.ts';
import { at, fakeStream, MINUTE, type FakeStream } from '../../support/fake-stream.ts';

/** The records of the minutes 10 to 19; the end is not included. */
const RANGE: Reread = { from: at(10), to: at(20), dryRun: false };

const rows = ({ warehouse }: FakeStream) =>
  warehouse.db.prepare<[], { id: string; content: string }>('SELECT message_id AS id, content FROM chat').all();

/** A stream whose forty records, one a minute, are held as the API has them. */
function held() {
  const fake = fakeStream('chat');
  fake.api.records = fake.series(0, 39, { content: 'as it was' });
  fake.hold(fake.api.records as Parameters<FakeStream['hold']>[0], { watermark: at(39) });
  return fake;
}

function tamper({ warehouse }: FakeStream, minute: number): void {
  warehouse.db.prepare("UPDATE chat SET content = 'wrong' WHERE timestamp = ?").run(new Date(at(minute)).toISOString());
}

const wrong = (fake: FakeStream) => rows(fake).filter(({ content }) => content === 'wrong').length;

describe('a range of time that is read again', () => {
  it('equals the API from its first millisecond to the last before its end', async () => {
    const fake = held();
    for (const minute of [9, 10, 19, 20]) tamper(fake, minute);
    const result = await rereadStream(fake.context, fake.stream, RANGE);
    expect(result).toMatchObject({ status: 'ok', updated: 2, inserted: 0, complete: true });
    expect(result).not.toHaveProperty('listed');
    expect(wrong(fake)).toBe(2);
  });

  it('costs its own requests and at most one to account for the rest', async () => {
    const fake = held();
    await rereadStream(fake.context, fake.stream, RANGE);
    const [first] = fake.api.asked;
    expect(first).toMatchObject({ startTime: new Date(at(10) - 1).toISOString(), order: 'asc' });
    // Pages hold four records, and each begins with the last one again.
    expect(fake.api.asked.length).toBeLessThanOrEqual(6);
  });

  it.each([RANGE, { from: at(30), dryRun: false }, { to: at(5), dryRun: false }])(
    'does not move the watermark (%o)',
    async (range) => {
      const fake = held();
      await rereadStream(fake.context, fake.stream, range);
      expect(fake.position().watermark).toBe(at(39));
      fake.api.records = [...fake.api.records, fake.make('late', 45)];
      await rereadStream(fake.context, fake.stream, range);
      expect(fake.position().watermark).toBe(at(39));
    },
  );

  it('neither completes nor continues a first read that has not ended', async () => {
    const fake = fakeStream('chat');
    fake.api.records = fake.series(0, 39);
    const result = await rereadStream(fake.context, fake.stream, RANGE);
    expect(result).toMatchObject({ status: 'incomplete', complete: false, inserted: 10, watermark: null });
    expect(fake.position()).toMatchObject({ backfilled: false, complete: false, watermark: undefined, rows: 10 });
  });

  it('reports a difference of the whole stream, whatever the range is', async () => {
    const fake = held();
    fake.api.change = (answer) => ({ ...answer, pagination: { ...answer.pagination, total: 50 } });
    const result = await rereadStream(fake.context, fake.stream, RANGE);
    expect(result).toMatchObject({ status: 'incomplete', complete: false });
  });

  it('marks a row that is gone, and deletes it if a reading a minute later misses it as well', async () => {
    const fake = held();
    fake.api.records = fake.api.records.filter((_, minute) => minute !== 15);
    expect(await rereadStream(fake.context, fake.stream, RANGE)).toMatchObject({ deleted: 0, marked: 1 });
    expect(await rereadStream(fake.context, fake.stream, RANGE)).toMatchObject({ deleted: 0, marked: 0 });
    expect(rows(fake)).toHaveLength(40);
    fake.now += MINUTE;
    expect(await rereadStream(fake.context, fake.stream, RANGE)).toMatchObject({ deleted: 1, marked: 0, status: 'ok' });
    expect(rows(fake)).toHaveLength(39);
  });

  it('withholds as many rows from deletion as the delete guard says', async () => {
    const fake = held();
    fake.api.records = fake.api.records.filter((_, minute) => minute < 10);
    const range: Reread = { from: at(10), dryRun: false };
    expect(await rereadStream(fake.context, fake.stream, range)).toMatchObject({ marked: 30, deleted: 0 });
    fake.now += MINUTE;
    expect(await rereadStream(fake.context, fake.stream, range)).toMatchObject({ deleted: 0, complete: false });
    expect(fake.position().withheldRows).toBe(30);
  });

  it('is listed whole if the API does not filter by time, and the result says so', async () => {
    const fake = held();
    fake.api.ignores = ['startTime'];
    tamper(fake, 5);
    expect(await rereadStream(fake.context, fake.stream, RANGE)).toMatchObject({
      listed: true,
      updated: 1,
      status: 'ok',
    });
    expect(wrong(fake)).toBe(0);
  });
});

describe('a dry run of a range', () => {
  it('reports what would change, and writes nothing', async () => {
    const fake = held();
    for (const minute of [10, 11]) tamper(fake, minute);
    fake.warehouse.db.prepare('DELETE FROM chat WHERE timestamp = ?').run(new Date(at(12)).toISOString());
    fake.api.records = fake.api.records.filter((_, minute) => minute !== 15);
    const before = [fake.position(), rows(fake)];
    const result = await rereadStream(fake.context, fake.stream, { ...RANGE, dryRun: true });
    expect(result).toMatchObject({ status: 'ok', inserted: 1, updated: 2, marked: 1, deleted: 0 });
    expect(result.requests).toBeGreaterThan(0);
    expect([fake.position(), rows(fake)]).toEqual(before);
    expect(fake.warehouse.db.prepare('SELECT count(*) FROM _missing_rows').pluck().get()).toBe(0);
  });
});
