import type { Code } from '../shared/errors.ts';

/** What messages have called issues since the first version. Any other is called by its code. */
const KINDS: Partial<Record<Code, string>> = {
  KEY_EXPIRES: 'key-expiring',
  SERVER_UNREACHABLE: 'halted',
  WAREHOUSE_BUSY: 'halted',
  WAREHOUSE_FULL: 'halted',
  WAREHOUSE_UNWRITABLE: 'halted',
  WAREHOUSE_CORRUPT: 'halted',
  READ_FAILED: 'stream',
  SCOPE_MISSING: 'stream',
  ANSWER_INCOMPLETE: 'stream',
  ROWS_MISSING: 'stream',
  EXPERIMENT_GONE: 'gone',
  PART_GONE: 'gone',
  NO_EXPERIMENTS: 'gone',
  DATA_REDERIVED: 'rederived',
  DISK_LOW: 'disk',
  ROOM_SILENT: 'live-room',
};

/** What a message calls an issue: `key-refused`. */
export function kindOf(code: Code): string {
  return KINDS[code] ?? code.toLowerCase().replaceAll('_', '-');
}

/** A kind that an earlier version stored, as it is called now. */
export function currentKind(kind: string): string {
  return kind === 'deletes-braked' ? 'deletes-withheld' : kind;
}
