/** What each exit status means; docs/commands.md lists the same table. */
export const EXIT = {
  ok: 0,
  partial: 1,
  usage: 2,
  keyRefused: 3,
  unwritable: 4,
  busy: 5,
  interrupted: 130,
} as const;

/** Who has to act when it does not pass by itself. */
export type Actor =
  /** the person who runs the command or wrote the configuration */
  | 'user'
  /** the person who keeps this computer: its disk, its network */
  | 'host'
  /** the person who has the HyperStudy account that the key belongs to */
  | 'account'
  /** the person who shares the experiment */
  | 'owner'
  /** HyperStudy */
  | 'server'
  | 'nobody';

/** What is known about a code, wherever it occurs. */
interface Known {
  /** The exit status of a command that fails with it. A code without one is never thrown, only reported. */
  readonly exit?: number;
  /** Whether it may pass by itself a little later. */
  readonly passes: boolean;
  readonly acts: Actor;
  /**
   * What it prevents from being read: one stream · the API, so that no other stream is requested either · everything.
   */
  readonly stops?: 'stream' | 'api' | 'everything';
  /** Whether the local file failed: it says nothing of the API, the key or a stream. */
  readonly isLocal?: true;
}

export const CODES = {
  USAGE: { exit: EXIT.usage, passes: false, acts: 'user' },
  CONFIG_NOT_FOUND: { exit: EXIT.usage, passes: false, acts: 'user' },
  CONFIG_INVALID: { exit: EXIT.usage, passes: false, acts: 'user' },
  PRIVACY_CHANGED: { exit: EXIT.usage, passes: false, acts: 'user', stops: 'everything', isLocal: true },
  CONFIG_EXISTS: { exit: EXIT.usage, passes: false, acts: 'user' },
  INTERRUPTED: { exit: EXIT.interrupted, passes: false, acts: 'user', stops: 'everything' },

  KEY_MISSING: { exit: EXIT.keyRefused, passes: false, acts: 'user', stops: 'everything' },
  KEY_REFUSED: { exit: EXIT.keyRefused, passes: false, acts: 'account', stops: 'everything' },
  SCOPE_MISSING: { exit: EXIT.partial, passes: false, acts: 'account', stops: 'stream' },

  SERVER_UNREACHABLE: { exit: EXIT.partial, passes: true, acts: 'host', stops: 'api' },
  SERVER_FAILED: { exit: EXIT.partial, passes: true, acts: 'server', stops: 'stream' },
  RATE_LIMITED: { exit: EXIT.partial, passes: true, acts: 'account', stops: 'stream' },
  NOT_FOUND: { exit: EXIT.partial, passes: false, acts: 'owner', stops: 'stream' },
  PARAMETER_REFUSED: { exit: EXIT.partial, passes: false, acts: 'user', stops: 'stream' },
  ANSWER_UNREADABLE: { exit: EXIT.partial, passes: true, acts: 'server', stops: 'stream' },

  PUBLISH_FAILED: { exit: EXIT.unwritable, passes: true, acts: 'user', isLocal: true },
  SNAPSHOT_INCOMPLETE: { exit: EXIT.partial, passes: false, acts: 'user' },
  WAREHOUSE_MISSING: { exit: EXIT.usage, passes: false, acts: 'user', isLocal: true },
  WAREHOUSE_OLDER: { exit: EXIT.usage, passes: false, acts: 'user', isLocal: true },
  WAREHOUSE_NEWER: { exit: EXIT.unwritable, passes: false, acts: 'user', isLocal: true },
  WAREHOUSE_FILESYSTEM: { exit: EXIT.unwritable, passes: false, acts: 'user', isLocal: true },
  PLACE_UNSAFE: { exit: EXIT.unwritable, passes: false, acts: 'host', stops: 'everything', isLocal: true },
  WAREHOUSE_BUSY: { exit: EXIT.busy, passes: true, acts: 'user', stops: 'everything', isLocal: true },
  WAREHOUSE_FULL: { exit: EXIT.unwritable, passes: false, acts: 'host', stops: 'everything', isLocal: true },
  WAREHOUSE_UNWRITABLE: { exit: EXIT.unwritable, passes: false, acts: 'host', stops: 'everything', isLocal: true },
  WAREHOUSE_CORRUPT: { exit: EXIT.unwritable, passes: false, acts: 'host', stops: 'everything', isLocal: true },

  READ_FAILED: { passes: true, acts: 'server' },
  ANSWER_INCOMPLETE: { passes: true, acts: 'server' },
  ROWS_MISSING: { passes: true, acts: 'nobody' },
  DELETES_WITHHELD: { passes: false, acts: 'user' },
  EXPERIMENT_GONE: { passes: false, acts: 'owner' },
  PART_GONE: { passes: false, acts: 'owner' },
  NO_EXPERIMENTS: { passes: false, acts: 'account' },
  LIST_INCOMPLETE: { passes: true, acts: 'server' },
  NOT_READ_YET: { passes: true, acts: 'nobody' },
  NOT_COMPARED: { passes: false, acts: 'user' },
  NOT_CONFIGURED: { passes: false, acts: 'nobody' },
  SCHEMA_CHANGED: { passes: false, acts: 'user' },
  SCHEMA_FROZEN: { passes: false, acts: 'user' },
  DATA_REDERIVED: { passes: false, acts: 'user' },
  WRITES_DROPPED: { passes: false, acts: 'server' },
  ROWS_AHEAD: { passes: false, acts: 'nobody' },
  IDS_SHARED: { passes: false, acts: 'nobody' },
  ROOM_SILENT: { passes: false, acts: 'user' },
  KEY_EXPIRES: { passes: false, acts: 'account' },
  KEY_SHARED: { passes: false, acts: 'account' },
  MEDIA_MISSING: { passes: true, acts: 'owner' },
  DISK_LOW: { passes: false, acts: 'host' },
  WAL_LARGE: { passes: false, acts: 'user' },
  STALLED: { passes: false, acts: 'host' },
} as const satisfies Record<string, Known>;

/** Stable codes for scripts: everything that can go wrong, thrown or only reported. */
export type Code = keyof typeof CODES;

/** Codes that a command can fail with. */
export type ErrorCode = { [C in Code]: (typeof CODES)[C] extends { readonly exit: number } ? C : never }[Code];

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(CODES, text) && 'exit' in CODES[text as Code];
}

/** Whether it may pass by itself a little later. */
export function passesByItself(code: Code): boolean {
  return CODES[code].passes;
}

/** Who has to act when it does not pass by itself. */
export function whoActs(code: Code): Actor {
  return CODES[code].acts;
}

/** Whether nothing at all can be read after it. */
export function stopsEverything(code: Code): boolean {
  return known(code).stops === 'everything';
}

/** Whether it concerns more than one stream: the API cannot be used, or nothing can be read. */
export function isOutage(code: Code): boolean {
  return stopsEverything(code) || known(code).stops === 'api';
}

/** Whether the local file failed, and not the API, the key or a stream. */
export function isLocal(code: Code): boolean {
  return known(code).isLocal === true;
}

function known(code: Code): Known {
  return CODES[code];
}

/** The error for a command that a person ended. */
export function interrupted(cause?: unknown): WarehouseError {
  return new WarehouseError(
    'INTERRUPTED',
    'Interrupted. What was stored stays, and the next sync continues from there.',
    { cause },
  );
}

/**
 * A failure that a person can act on: one sentence on what happened and what it means for the data (`message`), one on
 * what to do next (`hint`). Anything else that is thrown is a bug in this program.
 */
export class WarehouseError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** The server's id of the request that failed. */
  readonly requestId: string | undefined;
  /** Whether another try a moment later may help. */
  readonly passes: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      hint?: string | undefined;
      cause?: unknown;
      requestId?: string | undefined;
      /** Set where this is known better than from the code. */
      passes?: boolean | undefined;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'WarehouseError';
    this.code = code;
    this.hint = options.hint;
    this.requestId = options.requestId;
    this.passes = options.passes ?? passesByItself(code);
  }

  get exitStatus(): number {
    return CODES[this.code].exit;
  }
}
