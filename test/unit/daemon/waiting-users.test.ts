import { expect, it } from 'vitest';
import type { ControlEvent } from '../../../src/control/protocol.ts';
import { createWaitingUsers } from '../../../src/daemon/waiting-users.ts';

it('a command that comes while another waits for the limit is notified at once of how long is left', () => {
  let now = 0;
  const users = createWaitingUsers({ uptime: () => now });
  const events: Record<'first' | 'second' | 'third', ControlEvent[]> = { first: [], second: [], third: [] };
  users.add((event) => events.first.push(event));
  const wait = { endpoint: 'events', limit: 'hour', waitMs: 60_000 } as const;
  users.waits(wait);
  now = 45_000;
  users.add((event) => events.second.push(event));
  now = 60_000;
  users.add((event) => events.third.push(event));
  expect(events).toEqual({ first: [{ wait }], second: [{ wait: { ...wait, waitMs: 15_000 } }], third: [] });
});
