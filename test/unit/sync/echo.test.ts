import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/api/client.ts';
import type { JsonObject } from '../../../src/shared/json.ts';
import type { Asked } from '../../support/fake-api.ts';
import { fakeStream, HOUR } from '../../support/fake-stream.ts';
import { proven, sync } from '../../support/proven-stream.ts';

/** An answer that repeats what its endpoint parsed: all that was sent but for some parameters. */
const echoing =
  (lacking: readonly string[], more: JsonObject = {}) =>
  (answer: Answer, asked: Asked): Answer => ({
    ...answer,
    echo: { ...Object.fromEntries(Object.entries(asked).filter(([name]) => !lacking.includes(name))), ...more },
  });

describe('an echo that lacks', () => {
  it('startTime makes a sync list the stream whole, without a trial', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 20);
    fake.api.change = echoing(['startTime', 'endTime']);
    await sync(fake);
    expect(fake.held()).toHaveLength(20);
    expect(fake.session().traits.known).toMatchObject({ startTimeIgnored: true });
    expect(fake.api.asked.filter(({ startTime }) => startTime !== undefined)).toHaveLength(1);
  });

  it('the order does not prove that a single row is the newest', async () => {
    const fake = await proven();
    fake.api.change = echoing(['sort', 'order']);
    await sync(fake);
    expect(fake.session().traits.known).toMatchObject({ descendingIgnored: true });
  });

  it('endTime makes a sync request the counts from both ends on, which show where a late record is', async () => {
    const fake = await proven();
    fake.api.ignores = ['endTime'];
    fake.api.change = echoing(['endTime']);
    fake.api.records = [fake.make('late', 1.5), ...fake.api.records];
    const { kinds } = await sync(fake);
    expect(kinds).toEqual([]);
    expect(fake.held()).toContain('late');
    expect(fake.session().traits.known).toMatchObject({ endTime: 'ignored' });
  });

  it('offset is not believed, because otherwise only the first page could be read', async () => {
    const fake = fakeStream('participants');
    fake.api.records = fake.series(1, 20);
    fake.api.change = echoing(['offset']);
    expect((await sync(fake)).kinds).toEqual([]);
    expect(fake.held()).toHaveLength(20);
  });

  it('everything, or has another word for the same, is no evidence', async () => {
    const fake = await proven();
    fake.api.change = echoing([], { order: 'DESC' });
    await sync(fake);
    fake.now += HOUR;
    fake.api.change = (answer) => ({ ...answer, echo: { note: 'no parameters' } });
    expect((await sync(fake)).requests).toBe(1);
    expect(fake.session().traits.known).not.toHaveProperty('descendingIgnored');
  });
});

it('a page as long as a smaller echoed limit does not count as the last', async () => {
  const fake = fakeStream('events', {}, 100);
  fake.api.records = fake.series(1, 10);
  fake.api.change = (answer, asked) => {
    const data = answer.data.slice(0, 5);
    const echo = { ...asked, limit: Math.min(Number(asked['limit']), 5) };
    return { ...answer, data, pagination: { hasMore: false, returned: data.length }, echo };
  };
  await sync(fake);
  expect(fake.held()).toHaveLength(10);
});
