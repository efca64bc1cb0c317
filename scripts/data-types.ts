import { unitOf, type Column, type Dataset, type Place } from '../src/datasets/define.ts';
import { derivedWith } from '../src/derive/registry.ts';
import { DATASETS } from '../src/datasets/registry.ts';

/** The derived tables with what one row is, then the tables of the data types, each with what it holds. */
export function tablesText(): string {
  return [
    table(
      ['table', 'what it holds', 'a row is'],
      derivedWith(250).map(({ name, about, row }) => [code(name), about, row]),
    ),
    'They are computed from the tables that mirror the API, one for each data type:',
    table(
      ['table', 'what it holds'],
      DATASETS.map(({ table: name, about }) => [code(name), about]),
    ),
  ].join('\n\n');
}

/** Every data type with where it is read from, and every field of it with where it stands. */
export function coverageText(): string {
  return DATASETS.map(section).join('\n\n');
}

function section(dataset: Dataset): string {
  const { name, table: tableName, about, keyScopes, columns, derived, metadata = [] } = dataset;
  const scopes = keyScopes.length === 0 ? 'not documented' : keyScopes.map(code).join(' or ');
  return [
    `### ${name}`,
    `${about} Table ${code(tableName)}, read from ${pathsOf(dataset).map(code).join(', ')}. Key scope: ${scopes}.`,
    table(
      ['field', 'column', 'type', 'unit'],
      [
        ...('experimentId' in dataset.fields ? [['`experimentId`', '`experiment_id`', 'TEXT', '']] : []),
        ...columns.map(row),
        ...derived.map((column) => [
          `from ${code(columns[column.from]?.name ?? '')}`,
          code(column.name),
          column.type,
          column.unit ?? '',
        ]),
        ...metadata.map((member) => [code(`metadata.${member}`), '`_answer_metadata`', 'JSON', '']),
      ],
    ),
  ].join('\n\n');
}

function pathsOf({ name, path, scopes }: Dataset): string[] {
  if (path !== undefined) return [path];
  return scopes.map((scope) =>
    scope === 'deployment' ? `/data/${name}/experiment/{id}?deploymentId=` : `/data/${name}/${scope}/{id}`,
  );
}

function row(column: Column): string[] {
  const { field, name, type, spec } = column;
  const { aliases = [], fallbacks = [] } = spec;
  const names = [field, ...aliases, ...fallbacks.map(placeText)].map(code).join(', else ');
  return [names, code(name), type, unitOf(column) ?? ''];
}

function placeText({ path }: Place): string {
  return path.join('.');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
