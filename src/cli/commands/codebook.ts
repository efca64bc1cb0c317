import { extname } from 'node:path';
import { asCsv } from '../../export/codebook/as-csv.ts';
import { asDatasette } from '../../export/codebook/as-datasette.ts';
import { asHtml } from '../../export/codebook/as-html.ts';
import { asMarkdown } from '../../export/codebook/as-markdown.ts';
import type { Codebook } from '../../export/codebook/codebook.ts';
import { readCodebook } from '../../export/codebook/read.ts';
import { headlineOf, titleOf } from '../../export/codebook/words.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatTime } from '../../shared/time.ts';
import { plainError, type Db } from '../../warehouse/open.ts';
import type { Command, Describe } from '../context.ts';
import { list } from '../selection.ts';
import { experimentsIn, openSource } from '../source.ts';
import { dataTo } from '../terminal.ts';
import { writeFile } from '../write-file.ts';

interface CodebookFlags {
  readonly experiment?: readonly string[];
  readonly format?: string;
  readonly out?: string;
  readonly warehouse?: string;
}

export const describe: Describe = (program, run) => {
  program
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .option('--format <format>', 'md, html, csv or datasette; by default that of the name in --out, otherwise md')
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--warehouse <file>', 'describe this file, without a configuration')
    .addHelpText(
      'after',
      `
For each experiment: what it is, how complete and fresh its data are, its questions with scales and counts, its
variables, its design, and every table with its columns: meaning, unit, number of values, missing ones, range or most
frequent values. Names, addresses, messages, free texts and ids are only counted.
If the data may be incomplete, it says so at the top, stderr says so too, and the exit status is 1.
datasette writes the metadata.json with which Datasette shows the same descriptions and hides internal tables.

Examples:
  hsw codebook --out codebook.html
  hsw codebook --experiment exp_abc123 --format csv --out codebook.csv
  hsw codebook --warehouse copy.db
  hsw codebook --format datasette --out metadata.json`,
    )
    .action((flags: CodebookFlags) => run(codebook, flags));
};

const FORMATS = ['md', 'html', 'csv', 'datasette'] as const;
type Format = (typeof FORMATS)[number];

/** `hsw codebook`: describes the data of a study for the people who get them. */
const codebook: Command<CodebookFlags> = async (context, flags) => {
  const format = formatOf(flags);
  const { db, positions } = openSource(context, flags.warehouse);
  try {
    // All numbers are those of one state of the data.
    db.exec('BEGIN');
    const book = readCodebook(db, {
      experiments: experimentsIn(db, positions(), flags.experiment),
      positions: positions(),
      madeAt: formatTime(Date.now()),
    });
    const text = context.json ? `${JSON.stringify(book, null, 2)}\n` : await textOf(db, book, format);
    if (flags.out !== undefined) writeFile(flags.out, text);
    else if (context.json) context.stdout.write(text);
    else dataTo(context.stdout).write(text);
    const doubtful = book.studies.filter((study) => !headlineOf(study).isComplete);
    for (const study of doubtful) {
      context.stderr.write(`! ${titleOf(study)}: ${headlineOf(study).text}\n`);
      for (const lack of study.completeness.lacks) context.stderr.write(`  ${lack}\n`);
    }
    return doubtful.length > 0 ? EXIT.partial : EXIT.ok;
  } catch (error) {
    throw plainError(db.name, error) ?? error;
  } finally {
    db.close();
  }
};

/** @throws WarehouseError USAGE for a format that does not exist. */
function formatOf({ format, out }: CodebookFlags): Format {
  const asked = format ?? byName(out);
  const found = FORMATS.find((one) => one === asked);
  if (found === undefined) {
    throw new WarehouseError('USAGE', `There is no format ${asked}.`, {
      hint: `The formats are ${FORMATS.join(', ')}.`,
    });
  }
  return found;
}

function byName(out = ''): Format {
  const extension = extname(out).slice(1).toLowerCase();
  return extension === 'html' || extension === 'csv' ? extension : 'md';
}

async function textOf(db: Db, book: Codebook, format: Format): Promise<string> {
  switch (format) {
    case 'md':
      return asMarkdown(book);
    case 'html':
      return asHtml(book);
    case 'csv':
      return asCsv(book);
    case 'datasette':
      return asDatasette(db);
  }
}
