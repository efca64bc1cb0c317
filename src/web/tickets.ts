import { createHash, randomBytes } from 'node:crypto';

/** How long a link that was given out can be followed, in milliseconds. */
const VALID_MS = 5 * 60_000;
const MOST = 100;

/** Links that open the dashboard once: what is in an address is seen by others, in a history or a list of processes. */
export interface Tickets {
  give(): string;
  /** Whether it was given out lately and not taken before. */
  take(ticket: string): boolean;
}

export function createTickets(now: () => number = () => performance.now()): Tickets {
  const given = new Map<string, number>();
  return {
    give() {
      const ticket = randomBytes(24).toString('base64url');
      given.set(digestOf(ticket), now() + VALID_MS);
      const [oldest] = given.keys();
      if (given.size > MOST && oldest !== undefined) given.delete(oldest);
      return ticket;
    },
    take(ticket) {
      const digest = digestOf(ticket);
      const until = given.get(digest);
      given.delete(digest);
      return until !== undefined && now() < until;
    },
  };
}

/** How long it takes to look up the digest reveals nothing about the ticket. */
function digestOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
