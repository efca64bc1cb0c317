import { expect, it } from 'vitest';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';
import { accountLab } from '../support/accounts.ts';
import { configFor } from '../support/lab.ts';

type Records = readonly Readonly<Record<string, unknown>>[];
type Change = (records: Records) => readonly unknown[];

const twice: Change = (records) => records.flatMap((record) => [record, record]);
const twiceOver: Change = (records) => [...records, ...records];
const texts: Change = (records) => records.map((record) => JSON.stringify(record));

/** An answer whose list of records is changed. */
function changed(reply: SimReply, change: Change): SimReply {
  if (reply.status !== 200) return reply;
  const body = JSON.parse(reply.body) as { data: Records };
  return { ...reply, body: JSON.stringify({ ...body, data: change(body.data) }) };
}

const isFirst = ({ query }: SimRequest) => !query.has('startTime') && (query.get('offset') ?? '0') === '0';
const isAny = () => true;

it.each<[string, string, number, Change, (request: SimRequest) => boolean, string]>([
  ['null', 'events', 50, () => [null], isAny, '55 of 56 answers brought nothing new, so that reading stopped'],
  ['texts on the first page', 'components', 6, texts, isFirst, '85 of 88 answers brought nothing new'],
  // To show repeats a second time, its pages are smaller.
  ['each record twice', 'rooms', 2, twice, isAny, '2 rows say exactly what another one says'],
  ['the page twice', 'rooms', 2, twiceOver, isAny, '1 row says exactly what another one says'],
])('a reading ends where answers bring nothing new: %s (%s)', async (_, data, pageSize, change, isHit, says) => {
  let isWrong = true;
  const lab = await accountLab(data, {
    config: { api: { ...configFor('', '').api, pageSize } },
    fault: (request) =>
      isWrong && request.path.startsWith(`/data/${data}/`) && isHit(request)
        ? { kind: 'change', change: (reply) => changed(reply, change) }
        : undefined,
  });
  const { status, requests, reason } = await lab.sync();
  // The list has two pages at most.
  expect({ status, isCheap: requests <= 100 }).toEqual({ status: 'incomplete', isCheap: true });
  expect(reason).toContain(says);
  isWrong = false;
  for (let times = 0; times < 2; times++) await lab.sync();
  const { right, held, truth } = lab.rows();
  expect({ right, held, reason: lab.position().reason }).toEqual({ right: truth, held: truth, reason: undefined });
});
