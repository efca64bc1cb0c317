/**
 * How important a request is: 0 goes first, 9 last. A function is called each time the request is queued, as its
 * purpose may become more important while it waits.
 */
export type Priority = number | (() => number);
