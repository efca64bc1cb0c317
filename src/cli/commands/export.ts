import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DATA_TYPES, datasetNamed } from '../../datasets/registry.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { csvLines } from '../csv.ts';
import { records } from '../../warehouse/rows.ts';
import { plainError, type Db } from '../../warehouse/open.ts';
import { allPositions } from '../../warehouse/positions.ts';
import { openReader, readConfig, type Command } from '../context.ts';

interface ExportFlags {
  readonly data: string;
  readonly experiment?: readonly string[];
  readonly format: string;
  readonly out?: string;
}

/** `hsw export`: streams records, one in memory at a time. */
export const exportRecords: Command<ExportFlags> = async (context, { data, experiment = [], format, out }) => {
  if (!DATA_TYPES.includes(data)) {
    throw new WarehouseError('USAGE', `There is no data type ${data}.`, {
      hint: `The data types are: ${DATA_TYPES.join(', ')}.`,
    });
  }
  if (format !== 'ndjson' && format !== 'csv') {
    throw new WarehouseError('USAGE', `There is no format ${format}.`, { hint: 'The formats are ndjson and csv.' });
  }
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    requireKnown(db, experiment);
    const dataset = datasetNamed(data);
    const lines =
      format === 'csv'
        ? csvLines(db, dataset, experiment)
        : ndjsonLines(records(db, dataset, { experimentIds: experiment }));
    const sink: Writable = out === undefined ? context.stdout : createWriteStream(out);
    await pipeline(Readable.from(batched(lines)), sink, { end: out !== undefined, signal: context.signal });
    return EXIT.ok;
  } catch (error) {
    throw unwritten(out, error) ?? plainError(config.warehouse.path, error) ?? error;
  } finally {
    db.close();
  }
};

/** @throws WarehouseError USAGE for an experiment of which the warehouse knows nothing. */
function requireKnown(db: Db, ids: readonly string[]): void {
  const known = [...new Set(allPositions(db).map(({ experimentId }) => experimentId))];
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The warehouse has no experiment ${unknown.join(', ')}.`, {
      hint: known.length === 0 ? 'Run `hsw sync now` first.' : `It has: ${known.join(', ')}.`,
    });
  }
}

/** The person's error for one of the file that is written; undefined for any other. */
function unwritten(out: string | undefined, cause: unknown): WarehouseError | undefined {
  const isOfFile = cause instanceof Error && 'syscall' in cause;
  if (out === undefined || !isOfFile) return undefined;
  return new WarehouseError('USAGE', `${out} could not be written whole (${cause.message}).`, {
    hint: 'Check its name, the space on the disk and who may write in its folder, and run the command again.',
    cause,
  });
}

function* ndjsonLines(rows: ReturnType<typeof records>): Generator<string> {
  for (const { record } of rows) yield `${JSON.stringify(record)}\n`;
}

/** Small writes cost more than the rows themselves. */
const BATCH_CHARS = 65_536;

function* batched(lines: Iterable<string>): Generator<string> {
  let batch = '';
  for (const line of lines) {
    batch += line;
    if (batch.length >= BATCH_CHARS) {
      yield batch;
      batch = '';
    }
  }
  if (batch !== '') yield batch;
}
