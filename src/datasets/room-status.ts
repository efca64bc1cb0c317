/** Words that end a room's life in the API's `status`. The API does not document them. */
const OVER = /^(completed?|ended|finished|closed|terminated|abandoned|archived|cancell?ed|failed|expired)$/i;

/** Whether a room's status says that it is over; an unknown word says no such thing. */
export function isOver(status: string): boolean {
  return OVER.test(status);
}
