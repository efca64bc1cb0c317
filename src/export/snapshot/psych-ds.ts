import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrivate, makeFolder } from '../../shared/private-files.ts';
import { EXACT } from '../csv.ts';
import { csvFiles } from './csv.ts';
import { syncFolder } from './files.ts';
import type { Writing, WrittenTable } from './format.ts';

const DATA = 'data';

/** What of a data set is not in its tables. */
export interface DataSet {
  readonly name: string;
  readonly description: string;
  /** ISO 8601. */
  readonly created: string;
}

/**
 * A Psych-DS data set: CSV files in `data`, named by keywords, and a description that has every column of them. The
 * rules are those of https://psychds-docs.readthedocs.io/en/latest/reference/rules_and_conventions/ (read in November
 * 2026).
 */
export function psychDsFiles(folder: string, dataSet: DataSet): Writing {
  const data = join(folder, DATA);
  makeFolder(data);
  const study = lettersOf(dataSet.name);
  const taken = new Map<string, string>();
  const nameOf = (table: string) => {
    const known = taken.get(table);
    if (known !== undefined) return known;
    const name = free(new Set(taken.values()), (n) => `study-${study}_table-${lettersOf(table)}${n}_data.csv`);
    taken.set(table, name);
    return name;
  };
  const files = csvFiles(data, EXACT, nameOf);
  return {
    ...files,
    finish(tables) {
      const written = files.finish(tables).map((file) => ({ ...file, path: `${DATA}/${file.path}` }));
      syncFolder(data);
      const texts = {
        'dataset_description.json': `${JSON.stringify(descriptionOf(dataSet, tables), null, 2)}\n`,
        'README.md': readme(dataSet, tables, nameOf),
      };
      for (const [name, text] of Object.entries(texts)) {
        createPrivate(join(folder, name));
        writeFileSync(join(folder, name), text);
      }
      return [...written, ...Object.keys(texts).map((path) => ({ path, tables: [] }))];
    },
  };
}

/** The value of a keyword has letters and digits only: `ratings_continuous` is `ratingsContinuous`. */
function lettersOf(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const [first = 'x', ...others] = words;
  return first + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** The first name that is not taken, on file systems too that do not distinguish capitals. */
function free(taken: ReadonlySet<string>, name: (number: string) => string): string {
  const lower = new Set([...taken].map((one) => one.toLowerCase()));
  for (let n = 1; ; n++) {
    const one = name(n === 1 ? '' : `x${n}`);
    if (!lower.has(one.toLowerCase())) return one;
  }
}

/** In the words of https://schema.org/Dataset. */
function descriptionOf({ name, description, created }: DataSet, tables: readonly WrittenTable[]) {
  const columns = tables.flatMap((table) => table.columns.map((column) => ({ table: table.name, ...column })));
  return {
    '@context': 'https://schema.org',
    '@type': 'Dataset',
    name,
    description,
    dateCreated: created,
    variableMeasured: [...Map.groupBy(columns, (column) => column.name)].map(([column, uses]) => ({
      '@type': 'PropertyValue',
      name: column,
      description: meaningOf(uses),
      ...unitOf(uses),
    })),
  };
}

/** What a column means; table by table where the tables differ. */
function meaningOf(uses: readonly { readonly table: string; readonly meaning: string }[]): string {
  const meanings = [...Map.groupBy(uses, ({ meaning }) => meaning)];
  const [only] = meanings;
  if (only !== undefined && meanings.length === 1) return only[0];
  return meanings.map(([meaning, of]) => `${of.map(({ table }) => table).join(', ')}: ${meaning}`).join(' ');
}

/** Where all tables have the same one. */
function unitOf(uses: readonly { readonly unit: string | null }[]): { unitText?: string } {
  const [unit = null, ...others] = new Set(uses.map((use) => use.unit));
  return unit === null || others.length > 0 ? {} : { unitText: unit };
}

function readme(
  { name, description }: DataSet,
  tables: readonly WrittenTable[],
  nameOf: (table: string) => string,
): string {
  const lines = tables.map((table) => `- \`${DATA}/${nameOf(table.name)}\` (\`${table.name}\`): ${table.about}`);
  return `# ${name}

${description}

This is a [Psych-DS](https://psych-ds.github.io) data set. \`dataset_description.json\` has the meaning of every column, and
\`manifest.json\` the SHA-256 and the number of rows of every file, and how complete the data are. An empty cell has no value;
an empty text is \`""\`.

${lines.join('\n')}
`;
}
