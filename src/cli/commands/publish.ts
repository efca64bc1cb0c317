import { folderStore } from '../../export/lake/folder-store.ts';
import { publish as publishLake, type PublishedReport } from '../../export/lake/publish.ts';
import { s3Place } from '../../export/lake/s3-place.ts';
import type { Store } from '../../export/lake/store.ts';
import { count, counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { HOUR_MS, parseDuration } from '../../shared/time.ts';
import { plainError } from '../../warehouse/open.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { lacksOf } from '../lacks.ts';
import { showRows } from '../rows-progress.ts';
import { experimentsIn, openSource } from '../source.ts';

interface PublishFlags {
  readonly to?: string;
  readonly lab?: string;
  readonly grace?: string;
  readonly all?: boolean;
  readonly warehouse?: string;
}

export const describe: Describe = (program, run) => {
  program
    .option('--to <place>', 'the folder of the lake, or s3://bucket/folder (default: publish.to)')
    .option('--lab <name>', 'the name of your lab in the lake, which others may share (default: publish.lab, or lab)')
    .option(
      '--grace <duration>',
      'how long former files stay for those who still read them (default: publish.grace, or 1h)',
    )
    .option('--all', 'write every partition again, also those that did not change')
    .option('--warehouse <file>', 'publish this file, without a configuration')
    .addHelpText(
      'after',
      `
Writes the tables as Parquet files, for DuckDB, polars, Spark and others. Only the experiments and tables that changed
since the last time are written. lab=NAME/manifest.json comes last: it says which files are the data, how complete they
are, and for each table of each experiment how many records there are, with a digest of them. Read the files that it
names, and no others: docs/lake.md shows how.

Examples:
  hsw publish --to /archive/lake
  hsw publish --to /archive/lake --lab smith
  hsw publish --to s3://our-bucket/hyperstudy --lab smith`,
    )
    .action((flags: PublishFlags) => run(publish, flags));
};

/** `hsw publish`: a copy of the data for engines that read Parquet, of which only what changed is written. */
const publish: Command<PublishFlags> = async (context, flags) => {
  const { to, lab, graceMs } = wantedBy(context, flags);
  const store = await storeOf(to, context);
  const { db, positions, issues } = openSource(context, flags.warehouse);
  const progress = showRows(context.stderr, context.json);
  try {
    const about = () => {
      const now = positions();
      const experiments = experimentsIn(db, now);
      return { experiments, ...lacksOf(db, experiments, now, issues()) };
    };
    const { signal } = context;
    const done = await publishLake(db, store, {
      lab,
      graceMs,
      all: flags.all === true,
      about,
      now: Date.now,
      signal,
      rows: progress.rows,
    });
    progress.stop();
    say(context, store, done);
    return EXIT.ok;
  } catch (error) {
    progress.stop();
    throw unfinished(error, store.place) ?? plainError(db.name, error) ?? error;
  } finally {
    db.close();
  }
};

/** What the flags say, or else the configuration. */
function wantedBy(context: CommandContext, { to, lab, grace, warehouse }: PublishFlags) {
  const settings = warehouse === undefined ? readConfig(context, false).publish : undefined;
  const place = to ?? (settings?.format === 'lake' ? settings.to : undefined);
  if (place === undefined)
    throw new WarehouseError('USAGE', 'Where to publish is not given.', {
      hint: 'Add --to FOLDER or --to s3://BUCKET/FOLDER, or set `publish: { to: … }` in the configuration.',
    });
  return {
    to: place,
    lab: labOf(lab ?? settings?.lab ?? 'lab'),
    graceMs: grace === undefined ? (settings?.graceMs ?? HOUR_MS) : graceOf(grace),
  };
}

/** @throws WarehouseError USAGE for what is no name everywhere. */
function labOf(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name) && !name.endsWith('.')) return name;
  throw new WarehouseError('USAGE', `${name} cannot be the name of a lab.`, {
    hint: 'Use letters, digits, points, - and _, beginning with a letter or digit.',
  });
}

/** @throws WarehouseError USAGE for what is no duration. */
function graceOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new WarehouseError('USAGE', `${text} is not a duration.`, { hint: 'Write --grace 1h, 30m or 7d.' });
}

/** @throws WarehouseError USAGE for an address of another kind. */
async function storeOf(to: string, { env, signal }: CommandContext): Promise<Store> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(to)?.[1];
  if (scheme === undefined) return folderStore(to);
  if (scheme === 's3') {
    const place = s3Place(to);
    // It is large, so that nobody else waits for it.
    const { s3Store } = await import('../../export/lake/s3-store.ts');
    return s3Store(place, env, signal);
  }
  throw new WarehouseError('USAGE', `A lake cannot be kept at ${scheme}://.`, {
    hint: 'Name a folder or s3://BUCKET/FOLDER with --to.',
  });
}

/** The error to show where the place could not be written; undefined for any other. */
function unfinished(cause: unknown, place: string): WarehouseError | undefined {
  const rest = `what ${place} had published before is as it was`;
  if (cause instanceof WarehouseError && cause.code === 'INTERRUPTED')
    return new WarehouseError('INTERRUPTED', `Interrupted: ${rest}.`, { cause });
  if (cause instanceof WarehouseError || !(cause instanceof Error) || !('code' in cause) || !('syscall' in cause))
    return undefined;
  const isFull = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
  return new WarehouseError(
    isFull ? 'WAREHOUSE_FULL' : 'WAREHOUSE_UNWRITABLE',
    `${isFull ? 'The disk is too full' : `The lake could not be written (${cause.message})`}: ${rest}.`,
    {
      hint: isFull
        ? 'Free some space, or choose another folder with --to.'
        : 'Check who may write to the folder, or choose another with --to.',
      cause,
    },
  );
}

function say({ json, stdout, stderr }: CommandContext, store: Store, done: PublishedReport): void {
  const { manifest, written, unchanged, files, bytes, removed, isNew } = done;
  const { lab, partitions, complete, lacks, published } = manifest;
  const rows = partitions.reduce((sum, one) => sum + one.rows, 0);
  if (json) {
    const report = {
      place: store.place,
      lab,
      published,
      isNew,
      rows,
      written,
      unchanged,
      files,
      bytes,
      removed,
      complete,
      lacks,
    };
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  if (!complete)
    stderr.write(`! The data may be incomplete; the manifest says what they may lack, and so does \`hsw status\`.\n`);
  const what = isNew
    ? `${counted(written, 'partition')} written, ${count(unchanged)} unchanged`
    : 'nothing has changed since the last time';
  const put = files === 0 ? '' : `, ${counted(files, 'file')} put (${(bytes / 1e6).toFixed(1)} MB)`;
  const gone = removed === 0 ? '' : `, ${counted(removed, 'former file')} removed`;
  stdout.write(
    `${store.place}: lab ${lab} with ${counted(rows, 'row')} in ${counted(partitions.length, 'partition')}; ${what}${put}${gone}.\n`,
  );
}
