/** Values of the API's `status` that mean that a room is over. The API does not document them. */
const OVER = /^(completed?|ended|finished|closed|terminated|abandoned|archived|cancell?ed|failed|expired)$/i;

/** Whether a room's status says that it is over; an unknown value does not. */
export function isOver(status: string): boolean {
  return OVER.test(status);
}
