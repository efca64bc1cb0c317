/** Values of the API's `status` that mean that a room is over. The API does not document them. */
const OVER = /^(completed?|ended|finished|closed|terminated|abandoned|archived|cancell?ed|failed|expired)$/i;

/** Those that mean that it is open. */
const OPEN = /^(active|open|reopened|running|started|in[_ -]?progress|ongoing|waiting|paused|live)$/i;

/** Whether a room's status says that it is open; an unknown value does not. */
export function isOpen(status: string): boolean {
  return OPEN.test(status);
}

/** Whether a room's status says that it is over; an unknown value does not. */
export function isOver(status: string): boolean {
  return OVER.test(status);
}
