import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { csvLine } from '../../export/csv.ts';
import { ask, jsonOf, textOfValue, type Answer } from '../../export/query.ts';
import { count } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { plainError } from '../../warehouse/open.ts';
import type { Command, Describe } from '../context.ts';
import { table } from '../output.ts';
import { openSource } from '../source.ts';
import { batched, dataTo } from '../terminal.ts';

interface QueryFlags {
  readonly sql: string;
  readonly format?: string;
  readonly warehouse?: string;
}

const FORMATS = ['table', 'csv', 'json'] as const;
type Format = (typeof FORMATS)[number];

export const describe: Describe = (program, run) => {
  program
    .argument('<sql>', 'one SELECT; - reads it from stdin')
    .option('--format <format>', `${FORMATS.join(', ')}; by default a table, and json with --json`)
    .option('--warehouse <file>', 'query this file, without a configuration')
    .addHelpText(
      'after',
      `
It only reads, also while a daemon writes. Nothing is rounded: whole numbers keep all their digits, other numbers show a
point, and NULL is an empty cell, or null in JSON. Whether the data are complete: \`hsw status\`, or the table _freshness.

Examples:
  hsw query "SELECT name, about FROM _tables"
  hsw query "SELECT room_id, count(*) AS events FROM events GROUP BY room_id" --format csv > events-by-room.csv
  hsw query - < analysis.sql`,
    )
    .action((sql: string, flags: Omit<QueryFlags, 'sql'>) => run(query, { ...flags, sql }));
};

/** `hsw query`: runs one SELECT. */
const query: Command<QueryFlags> = async (context, { sql, warehouse, ...flags }) => {
  const format = formatOf(flags.format ?? (context.json ? 'json' : 'table'));
  const statement = sql === '-' ? await text(context.stdin) : sql;
  const { db } = openSource(context, warehouse);
  // SQLite does not return to the event loop before it is done, and nothing is written: a signal ends the process. One
  // that came while the program was loaded is heard in this turn.
  await turn();
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  context.signal.throwIfAborted();
  try {
    const answer = ask(db, statement);
    if (format === 'table') context.stdout.write(tableOf(answer));
    else await pipeline(Readable.from(batched(linesOf(answer, format))), dataTo(context.stdout), { end: false });
    return EXIT.ok;
  } catch (error) {
    throw plainError(db.name, error) ?? error;
  } finally {
    db.close();
  }
};

/** @throws WarehouseError USAGE for a format that does not exist. */
function formatOf(asked: string): Format {
  const found = FORMATS.find((one) => one === asked);
  if (found !== undefined) return found;
  throw new WarehouseError('USAGE', `There is no format ${asked}.`, { hint: `The formats are ${FORMATS.join(', ')}.` });
}

/** More rows than this are not read on a screen. */
const MOST_ROWS = 1000;

function tableOf({ columns, rows }: Answer): string {
  const shown = firstOf(rows, MOST_ROWS);
  const isNumber = columns.map((_, i) => shown.every((row) => row[i] === null || typeof row[i] !== 'string'));
  const cells = shown.map((row) => row.map(textOfValue));
  const more = shown.length < MOST_ROWS ? '' : `The first ${count(MOST_ROWS)} rows; all are in --format csv or json.\n`;
  return `${table(columns, cells, isNumber)}\n${more}`;
}

function firstOf<T>(all: Iterable<T>, most: number): T[] {
  const first: T[] = [];
  for (const one of all) {
    first.push(one);
    if (first.length === most) break;
  }
  return first;
}

function* linesOf({ columns, rows }: Answer, format: 'csv' | 'json'): Generator<string> {
  if (format === 'csv') {
    yield csvLine(columns);
    for (const row of rows) yield csvLine(row.map(textOfValue));
    return;
  }
  let before = '[\n';
  for (const row of rows) {
    yield `${before}${jsonOf(columns, row)}`;
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
