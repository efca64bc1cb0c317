import type { SqlValue } from '../../shared/sqlite.ts';
import { csvLine, DEFUSED } from '../csv.ts';
import type { Codebook, Study } from './codebook.ts';
import { headlineOf, levelsText, titleOf } from './words.ts';

const HEAD = [
  'experiment_id',
  'part',
  'table_name',
  'name',
  'meaning',
  'type',
  'unit',
  'missing_means',
  'source',
  'n',
  'missing',
  'distinct',
  'minimum',
  'mean',
  'maximum',
  'values',
  'is_complete',
  'as_of',
] as const;

type Row = Partial<Record<(typeof HEAD)[number], SqlValue>>;

/** Without it a spreadsheet takes a file for one in the encoding of its computer. */
const IS_UTF8 = '\uFEFF';

/** One row for each experiment, question, variable and column, for a spreadsheet. */
export function asCsv({ studies }: Codebook): string {
  const rows = studies.flatMap((study) => rowsOf(study).map((row): Row => ({ experiment_id: study.id, ...row })));
  const lines = [HEAD, ...rows.map((row) => HEAD.map((name) => row[name] ?? null))];
  return IS_UTF8 + lines.map((row) => csvLine(row, DEFUSED)).join('');
}

function rowsOf(study: Study): Row[] {
  return [
    experimentRow(study),
    ...study.questions.map(questionRow),
    ...study.variables.map(variableRow),
    ...study.tables.flatMap(columnRows),
  ];
}

function experimentRow(study: Study): Row {
  const { completeness, people } = study;
  const { isComplete, text: headline } = headlineOf(study);
  return {
    part: 'experiment',
    name: titleOf(study),
    meaning: [headline, ...completeness.lacks].join(' '),
    n: people,
    is_complete: Number(isComplete),
    as_of: completeness.asOf,
  };
}

function questionRow(one: Study['questions'][number]): Row {
  return {
    part: 'question',
    table_name: 'answers',
    name: one.id,
    meaning: one.question,
    type: [one.type ?? one.kind, one.component, one.state, one.dimension].filter(Boolean).join(', '),
    unit: one.scale,
    n: one.answers,
    missing: one.empty,
    minimum: one.minimum,
    mean: one.mean,
    maximum: one.maximum,
    values: levelsText(one),
  };
}

function variableRow(one: Study['variables'][number]): Row {
  return {
    part: 'variable',
    table_name: 'variable_values',
    name: one.name,
    meaning: one.owner === null ? 'never written' : `the last value of each ${one.owner}`,
    type: one.types,
    n: one.n,
    minimum: one.minimum,
    mean: one.mean,
    maximum: one.maximum,
    values: levelsText(one),
  };
}

function columnRows({ name: table, columns, lacking, asOf }: Study['tables'][number]): Row[] {
  return columns.map((one): Row => ({
    part: 'column',
    table_name: table,
    name: one.name,
    meaning: one.meaning,
    type: one.type,
    unit: one.unit,
    missing_means: one.missingMeans,
    source: one.source,
    n: one.n,
    missing: one.missing,
    distinct: one.distinct,
    minimum: one.minimum,
    maximum: one.maximum,
    values: levelsText(one),
    is_complete: Number(lacking.length === 0),
    as_of: asOf,
  }));
}
