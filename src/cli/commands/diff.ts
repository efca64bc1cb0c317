import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { compareFiles, experimentsOf, type Difference, type TableDifference } from '../../export/snapshot/diff.ts';
import { readManifest } from '../../export/snapshot/manifest.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { command, queryValues } from '../../shared/sqlite.ts';
import { openForReading, withPlainErrors, type Db } from '../../warehouse/open.ts';
import type { Command, Describe } from '../context.ts';
import { idsOf, suggestion } from '../experiment-names.ts';
import { list } from '../selection.ts';

interface DiffFlags {
  readonly before: string;
  readonly after: string;
  readonly experiment?: readonly string[];
}

export const describe: Describe = (program, run) => {
  program
    .argument('<before>', 'the folder of a snapshot, or an SQLite file: a warehouse or a copy')
    .argument('<after>', 'what to compare it with, likewise')
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .addHelpText(
      'after',
      `
Compares table by table: rows added, removed and changed, and in how many rows each column differs. When a row was read
is not compared. Tables for researchers have no keys: a row that changed is one removed and one added there. The exit
status is 1 if anything differs. Snapshots in CSV or Parquet have no rows to look up: compare them by the checksums in
their manifests.

Examples:
  hsw diff paper-1 paper-2
  hsw diff paper-1 data/hyperstudy.db --experiment exp_abc123`,
    )
    .action((before: string, after: string, flags: Omit<DiffFlags, 'before' | 'after'>) =>
      run(diff, { ...flags, before, after }),
    );
};

/** `hsw diff`: what changed between two copies of the data. */
const diff: Command<DiffFlags> = ({ json, stdout }, { before, after, experiment = [] }) => {
  const [first, second] = [fileOf(before), fileOf(after)];
  // Both are opened for reading only; what is attached is opened as the first is.
  const db = openForReading(first);
  try {
    const difference = withPlainErrors(second, () => {
      command(db, 'ATTACH ? AS other')(second);
      for (const [schema, path] of [
        ['main', first],
        ['other', second],
      ] as const)
        requireTables(db, schema, path);
      db.exec('BEGIN');
      // Nothing of an experiment that is nowhere would differ.
      const known = experimentsOf(db);
      const { ids, unknown } = idsOf(experiment, known);
      if (unknown.length > 0)
        throw new WarehouseError('USAGE', `Neither file has an experiment ${unknown.join(', ')}.`, {
          hint: suggestion(unknown, known, 'They have'),
        });
      return compareFiles(db, ids);
    });
    stdout.write(json ? `${JSON.stringify(difference, null, 2)}\n` : textOf(difference));
    return Promise.resolve(isSame(difference) ? EXIT.ok : EXIT.partial);
  } finally {
    db.close();
  }
};

/** @throws WarehouseError USAGE for what cannot be compared. */
function fileOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new WarehouseError('USAGE', `There is no ${path}.`, { hint: 'Check its name.' });
  if (!stat.isDirectory()) return path;
  const file = readManifest(path).resources.find(({ format }) => format === 'sqlite');
  if (file !== undefined) return join(path, file.path);
  throw new WarehouseError('USAGE', `The snapshot ${path} is not in SQLite, so its rows cannot be compared.`, {
    hint: 'Compare the checksums in the manifests, or make both snapshots with --format sqlite.',
  });
}

function requireTables(db: Db, schema: 'main' | 'other', path: string): void {
  const found = queryValues(
    db,
    `SELECT count(*) FROM ${schema}.sqlite_schema WHERE name = '_tables'`,
    z.number(),
  ).get();
  if (found === 1) return;
  throw new WarehouseError('USAGE', `${path} is neither a warehouse nor a snapshot of one.`, {
    hint: 'Name the folder of a snapshot, or the SQLite file that `hsw sync now` writes.',
  });
}

function isSame({ tables, tablesAdded, tablesRemoved }: Difference): boolean {
  return tables.length + tablesAdded.length + tablesRemoved.length === 0;
}

function textOf(difference: Difference): string {
  const { compared, tables, tablesAdded, tablesRemoved } = difference;
  if (isSame(difference)) return `${counted(compared, 'table')} compared: no difference.\n`;
  const lines = [
    ...tablesAdded.map((name) => `${name}: only in the second`),
    ...tablesRemoved.map((name) => `${name}: only in the first`),
    ...tables.map((table) => `${table.table}: ${partsOf(table).join(', ')}`),
  ];
  const same = compared - tables.length;
  return `${lines.map((line) => `${cleanLine(line)}\n`).join('')}${counted(same, 'table')} without a difference.\n`;
}

function partsOf({ added, removed, changed, columns, columnsAdded, columnsRemoved }: TableDifference): string[] {
  const inColumns = Object.entries(columns).map(([name, rows]) => `${name} in ${count(rows)}`);
  return [
    ...(added > 0 ? [`${counted(added, 'row')} added`] : []),
    ...(removed > 0 ? [`${counted(removed, 'row')} removed`] : []),
    ...(changed > 0 ? [`${counted(changed, 'row')} changed (${inColumns.join(', ')})`] : []),
    ...(columnsAdded.length > 0 ? [`new columns ${columnsAdded.join(', ')}`] : []),
    ...(columnsRemoved.length > 0 ? [`without columns ${columnsRemoved.join(', ')}`] : []),
  ];
}
