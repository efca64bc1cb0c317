import type { Code } from '../shared/errors.ts';

/** Names of issues in messages since the first version. Every other issue is named by its code. */
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

/** The name of an issue in messages: `key-refused`. */
export function kindOf(code: Code): string {
  return KINDS[code] ?? code.toLowerCase().replaceAll('_', '-');
}

/** The current name of a kind that an earlier version stored. */
export function currentKind(kind: string): string {
  return kind === 'deletes-braked' ? 'deletes-withheld' : kind;
}
