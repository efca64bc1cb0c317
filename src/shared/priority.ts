/**
 * How important a request is: 0 goes first, 9 last. A function is asked each time the request lines up, as what it is for
 * may become more important while it waits.
 */
export type Priority = number | (() => number);
