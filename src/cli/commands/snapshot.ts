import { dirname, resolve } from 'node:path';
import { FORMATS, makeSnapshot, type Format } from '../../export/snapshot/make.ts';
import { tablesOfFile, type Manifest } from '../../export/snapshot/manifest.ts';
import { verifySnapshot } from '../../export/snapshot/verify.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatTime } from '../../shared/time.ts';
import { plainError } from '../../warehouse/open.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { lacksOf } from '../lacks.ts';
import { showRows } from '../rows-progress.ts';
import { list } from '../selection.ts';
import { snapshotKey, treatmentText } from '../deidentification.ts';
import { experimentsIn, openSource } from '../source.ts';

interface SnapshotFlags {
  readonly name: string;
  readonly out: string;
  readonly experiment?: readonly string[];
  readonly format: string;
  readonly excel?: boolean;
  readonly allowIncomplete?: boolean;
  readonly warehouse?: string;
  readonly deidentify?: boolean;
  readonly withFreeText?: boolean;
  readonly key?: string;
}

export const describe: Describe = (program, run) => {
  program
    .argument('<name>', 'the name of the snapshot, or `verify`')
    .argument('[folder]', 'with `verify`: the folder of a snapshot')
    .option('--out <folder>', 'where the folder with that name is made', '.')
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .option('--format <format>', `${FORMATS.slice(0, -1).join(', ')} or ${FORMATS.at(-1) ?? ''}`, 'sqlite')
    .option('--excel', 'CSV for Excel where the decimal separator is a comma')
    .option('--allow-incomplete', 'write it although data may be missing; the manifest then says what')
    .option('--deidentify', 'leave out what identifies people; pseudonyms replace ids, onsets replace times')
    .option('--with-free-text', 'with --deidentify: keep what people wrote, without the ids and names that are known')
    .option(
      '--key <file>',
      'the key of the pseudonyms, which stays in the lab; made if it is not there (default: privacy.key, or snapshot.key beside the warehouse)',
    )
    .option('--warehouse <file>', 'copy this file, without a configuration')
    .addHelpText(
      'after',
      `
Writes one state of the data into a folder: every table for readers, and manifest.json with the SHA-256, rows and columns
of each file, how complete and fresh the data are, and with what they were made. datapackage.json is the same document, for
tools that read Frictionless data packages. A former snapshot of that name is replaced when the new one is complete.
\`hsw snapshot verify FOLDER\` compares the files with their manifest; it exits with 1 if anything differs.

Examples:
  hsw snapshot paper-1 --experiment exp_abc123
  hsw snapshot paper-1 --format csv --out /archive
  hsw snapshot for-others --deidentify --format parquet
  hsw snapshot for-excel --format csv --excel
  hsw snapshot for-psych-ds --format psych-ds
  hsw snapshot copy --warehouse data/demo.db
  hsw snapshot verify paper-1`,
    )
    .action((name: string, folder: string | undefined, flags: Omit<SnapshotFlags, 'name'>) => {
      if (name === 'verify' && folder !== undefined) return run(verify, { folder });
      if (folder === undefined && name !== 'verify') return run(snapshot, { ...flags, name });
      throw new WarehouseError(
        'USAGE',
        name === 'verify' ? 'Which snapshot to verify is not given.' : 'A snapshot has one name.',
        {
          hint: 'Write `hsw snapshot NAME`, or `hsw snapshot verify FOLDER`.',
        },
      );
    });
};

/** `hsw snapshot NAME`: a copy of the data that is described, and provably the same wherever it goes. */
const snapshot: Command<SnapshotFlags> = async (context, flags) => {
  const format = formatOf(flags);
  const target = resolve(flags.out, nameOf(flags));
  checkPrivacy(flags);
  const keyFile = flags.deidentify === true ? keyFileOf(context, flags) : undefined;
  const { db, positions, issues } = openSource(context, flags.warehouse);
  const progress = showRows(context.stderr, context.json);
  try {
    db.exec('BEGIN');
    const experiments = experimentsIn(db, positions(), flags.experiment);
    const { lacks, isComplete, unreadable } = lacksOf(
      db,
      experiments,
      positions(),
      flags.experiment === undefined ? issues() : [],
    );
    report(context, lacks);
    if (unreadable.length > 0)
      context.stderr.write(`! The key may not read ${unreadable.join(', ')}: the snapshot does not have them.\n`);
    if (!isComplete && flags.allowIncomplete !== true) throw incomplete();
    const { excel = false, allowIncomplete = false, experiment = [], deidentify = false, withFreeText = false } = flags;
    const manifest = await makeSnapshot(
      db,
      {
        name: flags.name,
        target,
        format,
        isForExcel: excel,
        experiments,
        lacks,
        isComplete,
        unreadable,
        created: formatTime(Date.now()),
        options: { format, excel, experiment, allowIncomplete, deidentify, withFreeText },
        ...(keyFile !== undefined && { deidentification: { key: snapshotKey(keyFile), withFreeText } }),
      },
      { signal: context.signal, rows: progress.rows },
    );
    progress.stop();
    say(context, target, manifest);
    if (keyFile !== undefined)
      context.stderr.write(
        `The key of the pseudonyms is ${keyFile}. Keep it in the lab, and a copy elsewhere: with another one the same people get other pseudonyms.\n`,
      );
    return EXIT.ok;
  } catch (error) {
    progress.stop();
    throw unfinished(error, target) ?? plainError(db.name, error) ?? error;
  } finally {
    db.close();
  }
};

/** How many of the causes are named. */
const NAMED = 10;

function report({ stderr }: CommandContext, lacks: readonly string[]): void {
  for (const line of lacks.slice(0, NAMED)) stderr.write(`! ${cleanLine(line)}\n`);
  if (lacks.length > NAMED) stderr.write(`! and ${count(lacks.length - NAMED)} more; \`hsw status\` has them\n`);
}

function incomplete(): WarehouseError {
  return new WarehouseError('SNAPSHOT_INCOMPLETE', 'The data may be incomplete, so no snapshot was made.', {
    hint: 'Run `hsw sync now`, or leave experiments out with --experiment; or add --allow-incomplete, and the manifest says what may be missing.',
  });
}

/** @throws WarehouseError USAGE for a format that does not exist, or does not go with --excel. */
function formatOf({ format, excel }: SnapshotFlags): Format {
  const found = FORMATS.find((one) => one === format);
  if (found === undefined)
    throw new WarehouseError('USAGE', `There is no format ${format}.`, {
      hint: `The formats are ${FORMATS.join(', ')}.`,
    });
  if (excel === true && found !== 'csv')
    throw new WarehouseError('USAGE', '--excel is for CSV files only.', { hint: 'Add --format csv.' });
  return found;
}

function checkPrivacy({ deidentify, withFreeText, key }: SnapshotFlags): void {
  if (deidentify === true || (withFreeText !== true && key === undefined)) return;
  throw new WarehouseError('USAGE', '--with-free-text and --key belong to --deidentify.', {
    hint: 'Add --deidentify.',
  });
}

/** Where the key of the pseudonyms is, or will be. */
function keyFileOf(context: CommandContext, { key, warehouse }: SnapshotFlags): string {
  if (key !== undefined) return resolve(key);
  const config = warehouse === undefined ? readConfig(context, false) : undefined;
  return config?.privacy.keyFile ?? resolve(dirname(warehouse ?? config?.warehouse.path ?? ''), 'snapshot.key');
}

/** @throws WarehouseError USAGE for what is no name on every filesystem. */
function nameOf({ name }: SnapshotFlags): string {
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name) && !name.endsWith('.')) return name;
  throw new WarehouseError('USAGE', `${name} cannot be the name of a snapshot.`, {
    hint: 'Use letters, digits, points, - and _, beginning with a letter or digit; --out says in which folder it is made.',
  });
}

/** The error to show where the folder could not be written; undefined for any other. */
function unfinished(cause: unknown, target: string): WarehouseError | undefined {
  if (cause instanceof WarehouseError && cause.code === 'INTERRUPTED')
    return new WarehouseError('INTERRUPTED', `Interrupted: ${target} is as it was before.`, { cause });
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  const isFull = cause.code === 'ENOSPC' || cause.code === 'EDQUOT' || cause.code === 'SQLITE_FULL';
  if (!isFull && !('syscall' in cause) && cause.code !== 'SQLITE_IOERR_WRITE') return undefined;
  const what = isFull
    ? `The disk is too full for the snapshot`
    : `The snapshot could not be written (${cause.message})`;
  return new WarehouseError(
    isFull ? 'WAREHOUSE_FULL' : 'WAREHOUSE_UNWRITABLE',
    `${what}: ${target} is as it was before.`,
    {
      hint: isFull
        ? 'Free some space, or choose another folder with --out.'
        : 'Check who may write to the folder, or choose another with --out.',
      cause,
    },
  );
}

function say({ json, stdout }: CommandContext, folder: string, manifest: Manifest): void {
  const { resources, hyperstudy } = manifest;
  const tables = resources.flatMap(tablesOfFile);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = resources.reduce((sum, file) => sum + file.bytes, 0);
  const { complete, lacks, unreadable, experiments } = hyperstudy;
  if (json) {
    stdout.write(
      `${JSON.stringify({ folder, experiments, tables: tables.length, rows, bytes, complete, lacks, unreadable }, null, 2)}\n`,
    );
    return;
  }
  const state = complete
    ? `complete${unreadable.length === 0 ? '' : ' as far as the key may read'}`
    : 'may be incomplete';
  stdout.write(
    `${folder}: ${counted(experiments.length, 'experiment')}, ${counted(tables.length, 'table')}, ${counted(rows, 'row')}, ${megabytes(bytes)}, ${state}.\n`,
  );
  if (hyperstudy.deidentified !== undefined) stdout.write(treatmentText(hyperstudy.deidentified));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `hsw snapshot verify`: whether the files are those that the manifest describes. */
const verify: Command<{ readonly folder: string }> = async ({ json, stdout, signal }, { folder }) => {
  const { files, rows, differences } = await verifySnapshot(folder, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  if (json) stdout.write(`${JSON.stringify({ folder, files, rows, differences }, null, 2)}\n`);
  else if (differences.length === 0)
    stdout.write(`${folder}: ${counted(files, 'file')} with ${counted(rows, 'row')}, as the manifest says.\n`);
  else
    stdout.write(
      `${folder} differs from its manifest:\n${differences.map((line) => `  ${cleanLine(line)}\n`).join('')}`,
    );
  return differences.length === 0 ? EXIT.ok : EXIT.partial;
};
