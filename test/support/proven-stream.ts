import { expect } from 'vitest';
import type { Json } from '../../src/shared/json.ts';
import type { Proof } from '../../src/sync/conclude.ts';
import { readAndProve } from '../../src/sync/stream.ts';
import { fakeStream, HOUR, MINUTE, type FakeStream, type SessionChange } from './fake-stream.ts';

/** A stream of which the warehouse holds and the API has records 1 to 20, proven once so that its end is known. */
export async function proven(data = 'events', last = 20): Promise<FakeStream> {
  const fake = fakeStream(data, { lookbackMs: 5.5 * MINUTE });
  fake.api.records = fake.series(1, last);
  await sync(fake);
  expect(fake.position()).toMatchObject({ complete: true, rows: last });
  fake.now += HOUR;
  return fake;
}

export interface Synced extends Proof {
  readonly requests: number;
  readonly kinds: readonly string[];
}

/** One sync, which notes what it came to. */
export async function sync(fake: FakeStream, change: SessionChange = {}): Promise<Synced> {
  const session = fake.session(change);
  const before = fake.api.asked.length;
  const proof = await readAndProve(session, !fake.position().backfilled);
  session.sink.note(proof.position);
  session.sink.close();
  return { ...proof, requests: fake.api.asked.length - before, kinds: proof.doubts.map(({ kind }) => kind) };
}

/** Takes records out of the API. */
export const drop = (fake: FakeStream, ...ids: string[]) => {
  fake.api.records = fake.api.records.filter((record) => !ids.includes(idOf(record)));
};

function idOf(record: Json): string {
  const { id } = record as { id?: unknown };
  return String(id);
}

/** How many rows went to the history. */
export const deletedIn = ({ warehouse }: FakeStream) =>
  warehouse.db.prepare<[], number>("SELECT count(*) FROM _history WHERE what = 'deleted'").pluck().get();
