import { SingleBar } from 'cli-progress';
import { count, counted } from '../shared/count.ts';
import type { Output } from './terminal.ts';

/** Shows which rows are written, table by table. */
export interface RowsProgress {
  readonly rows: (table: string, written: number, of: number) => void;
  readonly stop: () => void;
}

/** A bar on a terminal, a line for each table with many rows elsewhere, nothing with `--json`. */
export function showRows(out: Output, isSilent: boolean): RowsProgress {
  if (isSilent) return { rows: () => undefined, stop: () => undefined };
  return out.stream.isTTY ? bar(out.stream) : lines(out);
}

/** Smaller tables take no time. */
const MANY = 100_000;

function lines(out: Output): RowsProgress {
  return {
    rows(table, written, of) {
      if (written === of && of >= MANY) out.write(`✓ ${table}: ${counted(of, 'row')}\n`);
    },
    stop: () => undefined,
  };
}

function bar(out: NodeJS.WriteStream): RowsProgress {
  const shown = new SingleBar({
    stream: out,
    format: ' {bar} {written} {name}',
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    fps: 10,
  });
  let current: string | undefined;
  return {
    rows(table, written, of) {
      const state = { name: table, written: count(written) };
      if (current === undefined) shown.start(Math.max(of, 1), written, state);
      else if (current !== table) shown.setTotal(Math.max(of, 1));
      current = table;
      shown.update(written, state);
    },
    stop: () => shown.stop(),
  };
}
