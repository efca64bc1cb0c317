import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DATA_TYPES, datasetNamed } from '../../datasets/registry.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { csvLines } from '../csv.ts';
import { records } from '../../warehouse/rows.ts';
import { plainError } from '../../warehouse/open.ts';
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
    const dataset = datasetNamed(data);
    const lines =
      format === 'csv'
        ? csvLines(db, dataset, experiment)
        : ndjsonLines(records(db, dataset, { experimentIds: experiment }));
    const sink: Writable = out === undefined ? context.stdout : createWriteStream(out);
    await pipeline(Readable.from(batched(lines)), sink, { end: out !== undefined, signal: context.signal });
    return EXIT.ok;
  } catch (error) {
    throw plainError(out ?? config.warehouse.path, error) ?? error;
  } finally {
    db.close();
  }
};

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
