import { isPostgres, postgresPlace } from '../../export/postgres/address.ts';
import type { PostgresReport } from '../../export/postgres/publish.ts';
import { folderStore } from '../../export/lake/folder-store.ts';
import { publish as publishLake, type Publication, type PublishedReport } from '../../export/lake/publish.ts';
import { s3Place } from '../../export/lake/s3-place.ts';
import type { Store } from '../../export/lake/store.ts';
import { count, counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { HOUR_MS, parseDuration } from '../../shared/time.ts';
import { plainError, type Db } from '../../warehouse/open.ts';
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
    .option(
      '--to <place>',
      'the folder of the lake, s3://bucket/folder or postgres://user@host/database (default: publish.to)',
    )
    .option(
      '--lab <name>',
      'the name of your lab in the lake, or of the schema in the database (default: publish.lab, or lab)',
    )
    .option(
      '--grace <duration>',
      'how long former files stay for those who still read them (default: publish.grace, or 1h)',
    )
    .option('--all', 'write every partition again, even if it did not change')
    .option('--warehouse <file>', 'publish this file, without a configuration')
    .addHelpText(
      'after',
      `
Writes the tables as Parquet files, for DuckDB, polars, Spark and others. Only the experiments and tables that changed
since the last time are written. lab=NAME/manifest.json comes last: it says which files are the data, how complete they
are, and for each table of each experiment how many records there are, with a digest of them. Read the files that it
names, and no others: docs/lake.md shows how.

To postgres://, they are tables of a schema with the name of the lab, replaced in one transaction. The password comes
from ~/.pgpass, PGPASSWORD or a service file, and never from the command line: docs/postgres.md has the details.

Examples:
  hsw publish --to /archive/lake
  hsw publish --to /archive/lake --lab smith
  hsw publish --to s3://our-bucket/hyperstudy --lab smith
  hsw publish --to postgres://hsw@db.example.org/research --lab smith`,
    )
    .action((flags: PublishFlags) => run(publish, flags));
};

/** `hsw publish`: a copy of the data for engines that read Parquet, or in PostgreSQL; only what changed is written. */
const publish: Command<PublishFlags> = async (context, flags) => {
  const wanted = wantedBy(context, flags);
  const target = isPostgres(wanted.to) ? await databaseOf(wanted, context) : await lakeOf(wanted, context);
  const progress = showRows(context.stderr, context.json);
  try {
    const { db, positions, issues } = openSource(context, flags.warehouse);
    try {
      const about = () => {
        const now = positions();
        const experiments = experimentsIn(db, now);
        return { experiments, ...lacksOf(db, experiments, now, issues()) };
      };
      const { signal } = context;
      const { lab, graceMs } = wanted;
      const all = flags.all === true;
      const say = await target.publish(db, { lab, graceMs, all, about, now: Date.now, signal, rows: progress.rows });
      progress.stop();
      say(context);
      return EXIT.ok;
    } catch (error) {
      progress.stop();
      throw unfinished(error, target.place) ?? plainError(db.name, error) ?? error;
    } finally {
      db.close();
    }
  } finally {
    await target.close();
  }
};

/** Where something is published. */
interface Target {
  readonly place: string;
  /** Publishes, and gives what is to be said of it. */
  publish(db: Db, publication: Publication): Promise<(context: CommandContext) => void>;
  close(): Promise<void>;
}

async function lakeOf({ to }: { readonly to: string }, context: CommandContext): Promise<Target> {
  const store = await storeOf(to, context);
  return {
    place: store.place,
    async publish(db, publication) {
      const done = await publishLake(db, store, publication);
      return (to) => sayLake(to, store, done);
    },
    close: () => Promise.resolve(),
  };
}

/** @throws WarehouseError USAGE, where the lab cannot be the name of a schema */
async function databaseOf(
  { to, lab }: { readonly to: string; readonly lab: string },
  { env, signal }: CommandContext,
): Promise<Target> {
  if (lab.length > 63 || /^(pg_|information_schema$)/i.test(lab))
    throw new WarehouseError('USAGE', `${lab} cannot be the name of a schema.`, {
      hint: 'Choose another one with --lab, of at most 63 letters.',
    });
  const place = postgresPlace(to, env);
  // It is large, so that no one else waits for it.
  const [{ openServer }, { publishToPostgres }] = await Promise.all([
    import('../../export/postgres/server.ts'),
    import('../../export/postgres/publish.ts'),
  ]);
  const server = await openServer(place, signal);
  return {
    place: server.place,
    async publish(db, publication) {
      const done = await publishToPostgres(db, server, publication);
      return (to) => sayDatabase(to, { place: server.place, schema: lab }, done);
    },
    close: () => server.close(),
  };
}

/** What the flags say, or else the configuration. */
function wantedBy(context: CommandContext, { to, lab, grace, warehouse }: PublishFlags) {
  const settings = warehouse === undefined ? readConfig(context, false).publish : undefined;
  const place = to ?? (settings?.format === 'lake' ? settings.to : undefined);
  if (place === undefined)
    throw new WarehouseError('USAGE', 'Where to publish is not given.', {
      hint: 'Add --to FOLDER, --to s3://BUCKET/FOLDER or --to postgres://USER@HOST/DATABASE, or set `publish: { to: … }` in the configuration.',
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
    // It is large, so that no one else waits for it.
    const { s3Store } = await import('../../export/lake/s3-store.ts');
    return s3Store(place, env, signal);
  }
  throw new WarehouseError('USAGE', `A lake cannot be kept at ${scheme}://.`, {
    hint: 'Name a folder, s3://BUCKET/FOLDER or postgres://USER@HOST/DATABASE with --to.',
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

function sayLake({ json, stdout, stderr }: CommandContext, store: Store, done: PublishedReport): void {
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
  if (!complete) stderr.write(INCOMPLETE('the manifest'));
  const what = isNew
    ? `${counted(written, 'partition')} written, ${count(unchanged)} unchanged`
    : 'nothing has changed since the last time';
  const put = files === 0 ? '' : `, ${counted(files, 'file')} put (${(bytes / 1e6).toFixed(1)} MB)`;
  const gone = removed === 0 ? '' : `, ${counted(removed, 'former file')} removed`;
  stdout.write(
    `${store.place}: lab ${lab} with ${counted(rows, 'row')} in ${counted(partitions.length, 'partition')}; ${what}${put}${gone}.\n`,
  );
}

const INCOMPLETE = (where: string) =>
  `! The data may be incomplete; ${where} says what they may lack, and so does \`hsw status\`.\n`;

function sayDatabase(
  { json, stdout, stderr }: CommandContext,
  at: { readonly place: string; readonly schema: string },
  done: PostgresReport,
): void {
  if (json) {
    stdout.write(`${JSON.stringify({ ...at, ...done }, null, 2)}\n`);
    return;
  }
  const { complete, isNew, rows, partitions, written, unchanged, removed, bytes, leftOut, unswept } = done;
  if (!complete) stderr.write(INCOMPLETE('the table _publication'));
  for (const table of leftOut)
    stderr.write(`! ${table} is left out: a row of it is wider than PostgreSQL allows. Its values are in answers.\n`);
  if (unswept.length > 0)
    stderr.write(
      `! Rows of erased people may still be in files of the server: run VACUUM there on ${unswept.join(', ')}.\n`,
    );
  const what = isNew
    ? `${counted(written, 'partition')} sent, ${count(unchanged)} unchanged`
    : 'nothing has changed since the last time';
  const sent = bytes === 0 ? '' : ` (${(bytes / 1e6).toFixed(1)} MB, read back and compared)`;
  const gone = removed === 0 ? '' : `, ${count(removed)} removed`;
  stdout.write(
    `${at.place}, schema ${at.schema}: ${counted(rows, 'row')} in ${counted(partitions, 'partition')}; ${what}${sent}${gone}.\n`,
  );
}
