import { expect, it } from 'vitest';
import { quoted, refused } from '../../../src/api/failure.ts';

it.each([
  ['connect ECONNREFUSED 10.0.0.12:5432', 'connect ECONNREFUSED [address]'],
  ['connect ECONNREFUSED fe80::1ff:fe23:4567', 'connect ECONNREFUSED [address]'],
  ['connect [2001:db8:0:0:0:0:2:1]:5432 failed', 'connect [address] failed'],
  ['lost postgres://admin:secret@db.internal:5432/lab?x=1 at 14:02:05', 'lost [address] at 14:02:05'],
  ['no participant jane.doe+1@uni.example.org in room 3', 'no participant [address] in room 3'],
  ['see https://storage.example.org/a/b?sig=1.', 'see [address]'],
])('the server’s message %j is repeated as %j', (said, repeated) => {
  expect(quoted(said, [])).toBe(repeated);
  const { message } = refused(
    { status: 500, code: 'X', message: said, details: null, requestId: undefined },
    'chat',
    [],
  );
  expect(message).toContain(repeated);
});

it.each([
  'the limit must be at most 1000',
  'startTime 2026-03-01T10:00:00.000Z is after 2026-02-01 09:30:00',
  'unknown field a.b.c::text of version 1.2.3',
  'ask @support about events',
])('the server’s message %j is repeated as it is', (said) => expect(quoted(said, [])).toBe(said));

it('of a long message of the server only the beginning is repeated, which takes little time', () => {
  const began = performance.now();
  expect(quoted('a.b@'.repeat(5_000_000), []).length).toBeLessThanOrEqual(300);
  expect(performance.now() - began).toBeLessThan(1000);
});
