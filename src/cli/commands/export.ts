import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../../config/schema.ts';
import { DATA_TYPES, datasetNamed } from '../../datasets/registry.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { claimFile } from '../../shared/private-files.ts';
import { sourcesOf, tablesOf } from '../../derive/sources.ts';
import { csvLines, csvTableLines } from '../../export/csv.ts';
import { personLines } from '../../export/person.ts';
import { ndjsonLines, ndjsonTableLines, quarantinedLines } from '../../export/ndjson.ts';
import { columnNames, hasNoColumn } from '../../warehouse/column-names.ts';
import { plainError, type Db } from '../../warehouse/open.ts';
import { allPositions } from '../../warehouse/positions.ts';
import { quarantinedRecords } from '../../warehouse/quarantine.ts';
import { standingOf } from '../../warehouse/standing.ts';
import { configuredExperiments, currentPositions } from '../../sync/roster.ts';
import { openReader } from '../../runtime/reader.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { list } from '../selection.ts';
import { experimentsIn } from '../source.ts';
import { batched, dataTo } from '../terminal.ts';
import { describeLacks, type Lacks } from '../../export/caveats.ts';
import { recallList } from '../../warehouse/experiment-list.ts';

interface ExportFlags {
  readonly data: string;
  readonly experiment?: readonly string[];
  readonly format: string;
  readonly out?: string;
  readonly quarantined?: boolean;
}

interface PersonFlags extends Omit<ExportFlags, 'data'> {
  readonly data?: string;
  readonly participant?: string;
  readonly room?: string;
}

export const describe: Describe = (program, run) => {
  program
    .option(
      '--data <type>',
      'the data type, such as events or ratings/continuous, or a table, such as people or answers',
    )
    .option('--participant <id>', 'instead of --data: all that the warehouse holds of one person (ndjson)')
    .option('--room <id>', 'with --participant: only in this room')
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--quarantined', 'also write records that could not be stored as rows (ndjson only)')
    .addHelpText(
      'after',
      `
If the data may be incomplete, stderr says so and the exit status is 1; the data are written all the same.
Quarantined records follow the rows, one a line, as the API sent them:
  {"quarantined":{"experiment":"exp_abc123","scope":"experiment","reason":"not an object","firstSeenAt":"…"},"record":…}

Examples:
  hsw export --data events > events.ndjson
  hsw export --data events --quarantined --out events.ndjson
  hsw export --data ratings/continuous --experiment exp_abc123 --format csv --out ratings.csv
  hsw export --data answers --format csv --out answers.csv
  hsw export --participant user_abc123 --out user_abc123.ndjson`,
    )
    .action(({ data, ...flags }: PersonFlags) => {
      if (flags.participant !== undefined && data === undefined) return run(exportPerson, flags);
      if (data !== undefined && flags.participant === undefined && flags.room === undefined)
        return run(exportRecords, { ...flags, data });
      throw new WarehouseError('USAGE', 'What to export is not clear.', {
        hint: 'Give either --data, or --participant, with --room where you want only one.',
      });
    });
};

/** `hsw export --participant`: all that is held of one person, as they may ask for it. */
const exportPerson: Command<PersonFlags> = async (context, { participant = '', room, out, ...others }) => {
  const excess = others.format === 'ndjson' ? (others.experiment ?? others.quarantined) : others.format;
  if (participant === '' || excess !== undefined)
    throw new WarehouseError('USAGE', '--participant needs an id, and goes with --room and --out only.', {
      hint: 'It writes everything of the person, in every experiment, as NDJSON.',
    });
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    db.exec('BEGIN');
    const lines = personLines(db, { participant, room });
    const first = lines.next();
    if (first.done === true)
      throw new WarehouseError('USAGE', `The warehouse holds nothing of participant ${participant}.`, {
        hint: 'Look up the id in `participants.participant_id`; it must match exactly.',
      });
    const sink = out === undefined ? dataTo(context.stdout) : writeTo(out);
    const all = function* () {
      yield first.value;
      yield* lines;
    };
    await pipeline(Readable.from(batched(all())), sink, { end: out !== undefined, signal: context.signal });
    return report(context, lacksOfAll(db, config));
  } catch (error) {
    throw unwritten(out, error) ?? plainError(config.warehouse.path, error) ?? error;
  } finally {
    db.close();
  }
};

/** `hsw export`: streams records, one in memory at a time, and says whether they may be incomplete. */
const exportRecords: Command<ExportFlags> = async (context, { experiment: asked = [], ...others }) => {
  const { out } = others;
  checkFormat(others);
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    // The caveats describe the same state of the data as is written.
    db.exec('BEGIN');
    const experiment = asked.length === 0 ? asked : experimentsIn(db, allPositions(db), asked);
    const flags = { ...others, experiment };
    const sources = sourcesIn(db, config, flags);
    const lacks = sources.map((data) => lacksOf(db, config, { ...flags, data }));
    const sink: Writable = out === undefined ? dataTo(context.stdout) : writeTo(out);
    await pipeline(Readable.from(batched(linesOf(db, flags))), sink, {
      end: out !== undefined,
      signal: context.signal,
    });
    return report(context, lacks, withoutColumns(db, flags));
  } catch (error) {
    throw unwritten(out, error) ?? plainError(config.warehouse.path, error) ?? error;
  } finally {
    db.close();
  }
};

/** A new file is for its owner, and its folder's group where the folder says so. */
function writeTo(out: string): Writable {
  claimFile(out);
  return createWriteStream(out);
}

/** What a CSV file has in its JSON columns only. */
function withoutColumns(db: Db, { data, format }: ExportFlags): string[] {
  if (format !== 'csv' || !DATA_TYPES.includes(data)) return [];
  const names = columnNames(db, datasetNamed(data).table).filter(hasNoColumn);
  if (names.length === 0) return [];
  const told = names.slice(0, NAMED).map(({ path }) => path);
  const more = names.length > told.length ? ` and ${count(names.length - told.length)} more` : '';
  const [have, them] = names.length === 1 ? ['has', 'it'] : ['have', 'them'];
  return [
    `${counted(names.length, 'member')} of ${data} ${have} no column: ${told.join(', ')}${more}. The NDJSON has ${them}.`,
  ];
}

/** How many of them are named. */
const NAMED = 10;

/** Says on stderr what is to be known of the data, and gives the exit status. */
function report({ stderr }: CommandContext, lacks: readonly Lacks[], others: readonly string[] = []): number {
  const lines = [...lacks.flatMap((lack) => lack.lines), ...others];
  for (const line of new Set(lines)) stderr.write(`! ${cleanLine(line)}\n`);
  return lacks.some(({ isDoubtful }) => isDoubtful) ? EXIT.partial : EXIT.ok;
}

/** What the data types may lack in which a person may be. What the key may never read is not held of anyone. */
function lacksOfAll(db: Db, config: Config): Lacks[] {
  const streams = currentPositions(db, configuredExperiments(db, config));
  const read = streams.filter((stream) => standingOf(stream) !== 'skipped');
  const issues = recallList(db, config);
  // Malformed records that name the person are written.
  return [...Map.groupBy(read, ({ data }) => data)].map(([data, all]) =>
    describeLacks(data, all, { quarantined: 0, issues }),
  );
}

/** What the exported data may lack. */
function lacksOf(db: Db, config: Config, { data, experiment = [], quarantined }: ExportFlags): Lacks {
  const streams = currentPositions(db, configuredExperiments(db, config)).filter(
    (stream) => stream.data === data && (experiment.length === 0 || experiment.includes(stream.experimentId)),
  );
  return describeLacks(data, streams, {
    quarantined: quarantinedRecords(db, data, experiment).length,
    isWritten: quarantined === true,
    issues: recallList(db, config),
  });
}

/**
 * The data types that are exported, or that a table follows from.
 * @throws WarehouseError USAGE for what cannot be exported.
 */
function sourcesIn(db: Db, config: Config, { data, quarantined }: ExportFlags): readonly string[] {
  if (DATA_TYPES.includes(data)) return [data];
  const sources = sourcesOf(db, data);
  if (sources === undefined) {
    throw new WarehouseError('USAGE', `There is no data type or table ${data}.`, {
      hint: `The data types are: ${DATA_TYPES.join(', ')}. The tables are: ${tablesOf(db).join(', ')}.`,
    });
  }
  if (quarantined === true) {
    throw new WarehouseError('USAGE', `${data} is a table that is computed, and has no quarantined records.`, {
      hint: `Export the data types that it is computed from: ${sources.join(', ')}.`,
    });
  }
  // What is not configured has no streams, and the table does without it.
  const streams = currentPositions(db, configuredExperiments(db, config));
  return sources.filter((name) => streams.some((stream) => stream.data === name));
}

/** @throws WarehouseError USAGE for a format that does not exist, or cannot hold what is wanted. */
function checkFormat({ format, quarantined }: ExportFlags): void {
  if (format !== 'ndjson' && format !== 'csv') {
    throw new WarehouseError('USAGE', `There is no format ${format}.`, { hint: 'The formats are ndjson and csv.' });
  }
  if (quarantined === true && format === 'csv') {
    throw new WarehouseError('USAGE', 'Quarantined records are not rows and do not fit into a CSV file.', {
      hint: 'Use --format ndjson with --quarantined.',
    });
  }
}

function* linesOf(db: Db, { data, experiment = [], format, quarantined }: ExportFlags): Generator<string> {
  if (!DATA_TYPES.includes(data)) {
    yield* format === 'csv' ? csvTableLines(db, data, experiment) : ndjsonTableLines(db, data, experiment);
    return;
  }
  const dataset = datasetNamed(data);
  if (format === 'csv') {
    yield* csvLines(db, dataset, experiment);
    return;
  }
  yield* ndjsonLines(db, dataset, experiment);
  if (quarantined === true) yield* quarantinedLines(db, dataset, experiment);
}

/** The error to show for a failure to write the output file; undefined for any other. */
function unwritten(out: string | undefined, cause: unknown): WarehouseError | undefined {
  const isOfFile = cause instanceof Error && 'syscall' in cause;
  if (out === undefined || !isOfFile) return undefined;
  return new WarehouseError('USAGE', `${out} could not be written completely (${cause.message}).`, {
    hint: 'Check its name, the disk space and who may write to its folder, then run the command again.',
    cause,
  });
}
