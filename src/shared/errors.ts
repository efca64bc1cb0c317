/** What the process says with its exit status; the README lists the same table. */
export const EXIT = {
  ok: 0,
  partial: 1,
  usage: 2,
  keyRefused: 3,
  unwritable: 4,
  busy: 5,
  interrupted: 130,
} as const;

/** Stable codes for people's scripts, each with the exit status it leads to. */
const EXIT_OF_CODE = {
  USAGE: EXIT.usage,
  NODE_TOO_OLD: EXIT.usage,
  CONFIG_NOT_FOUND: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_EXISTS: EXIT.usage,
  KEY_MISSING: EXIT.keyRefused,
  KEY_REFUSED: EXIT.keyRefused,
  SCOPE_MISSING: EXIT.partial,
  NOT_FOUND: EXIT.partial,
  PARAMETER_REFUSED: EXIT.partial,
  RATE_LIMITED: EXIT.partial,
  SERVER_UNREACHABLE: EXIT.partial,
  SERVER_FAILED: EXIT.partial,
  ANSWER_UNREADABLE: EXIT.partial,
  ANSWER_INCOMPLETE: EXIT.partial,
  DELETES_BRAKED: EXIT.partial,
  WAREHOUSE_MISSING: EXIT.usage,
  WAREHOUSE_UNWRITABLE: EXIT.unwritable,
  WAREHOUSE_FULL: EXIT.unwritable,
  WAREHOUSE_CORRUPT: EXIT.unwritable,
  WAREHOUSE_NEWER: EXIT.unwritable,
  WAREHOUSE_OLDER: EXIT.usage,
  WAREHOUSE_FILESYSTEM: EXIT.unwritable,
  WAREHOUSE_BUSY: EXIT.busy,
  INTERRUPTED: EXIT.interrupted,
} as const;

export type ErrorCode = keyof typeof EXIT_OF_CODE;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(EXIT_OF_CODE, text);
}

/**
 * A failure that a person can act on: one sentence of what happened and what it means for the data (`message`),
 * one of what to do next (`hint`). Anything else that is thrown is a bug of ours.
 */
export class WarehouseError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** What the server calls the request that failed. */
  readonly requestId: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; requestId?: string | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'WarehouseError';
    this.code = code;
    this.hint = options.hint;
    this.requestId = options.requestId;
  }

  get exitStatus(): number {
    return EXIT_OF_CODE[this.code];
  }
}
