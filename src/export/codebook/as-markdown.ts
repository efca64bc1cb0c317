import { count } from '../../shared/count.ts';
import type { Codebook, Study } from './codebook.ts';
import {
  answersText,
  askedByText,
  factsOf,
  headlineOf,
  leftOutText,
  notesOf,
  PRIVACY,
  stateOf,
  summaryText,
  timeText,
  titleOf,
  valuesText,
  warningOf,
} from './words.ts';

type Cell = string | number | null;

export function asMarkdown({ product, madeAt, studies, common }: Codebook): string {
  const parts = [
    '# Codebook',
    `Made by ${product} on ${timeText(madeAt)}. ${PRIVACY}`,
    warningOf(studies) === '' ? '' : `**⚠ ${line(warningOf(studies))}**`,
    ...studies.flatMap(studyParts),
    '## In every table of records',
    table(
      ['column', 'type', 'unit', 'meaning', 'missing means'],
      common.map(({ name, type, unit, meaning, missingMeans }) => [code(name), type, unit, meaning, missingMeans]),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function studyParts(study: Study): string[] {
  const { description, completeness, questions, variables, design, tables, views, empty } = study;
  const { isComplete, text: headline } = headlineOf(study);
  return [
    `## ${line(titleOf(study))}`,
    `**${isComplete ? '' : '⚠ '}${headline}**`,
    completeness.lacks.map((lack) => `- ${line(lack)}`).join('\n'),
    description === null ? '' : line(description),
    factsOf(study)
      .map(([name, value]) => `- ${name}: ${line(value)}`)
      .join('\n'),
    notesOf(study).join('\n'),
    ...section(
      'Questions',
      ['question', 'asked by', 'scale', 'answers', 'values'],
      questions.map((one) => [
        one.question === null ? code(one.id) : `${line(one.question)} ${code(one.id)}`,
        askedByText(one),
        one.scale,
        answersText(one),
        summaryText(one),
      ]),
    ),
    ...section(
      'Variables',
      ['variable', 'of', 'type', 'at the beginning', 'n', 'last values'],
      variables.map((one) => [
        code(one.name),
        one.owner ?? 'never written',
        one.types,
        one.initial,
        count(one.n),
        summaryText(one),
      ]),
    ),
    ...section(
      'Design',
      ['', 'state', 'component', 'question', 'scale', 'medium', 'seconds'],
      design.map((step) => [
        step.position,
        step.part === 'state' ? step.state : step.part,
        step.component,
        step.question,
        step.scale,
        step.medium,
        step.durationS,
      ]),
    ),
    '### Tables',
    ...tables.flatMap((one) => [
      `#### ${one.name}`,
      `${one.about} A row is ${one.rowIs}.${one.joinBy === null ? '' : ` Join by ${one.joinBy}.`}`,
      `${one.lacking.length === 0 ? '' : '⚠ '}${stateOf(one)}.`,
      table(
        ['column', 'type', 'unit', 'meaning', 'n', 'missing', 'distinct', 'values', 'missing means'],
        one.columns.map((column) => [
          code(column.name),
          column.type,
          column.unit,
          column.meaning,
          count(column.n),
          count(column.missing),
          column.distinct === null ? null : count(column.distinct),
          valuesText(column),
          column.missingMeans,
        ]),
      ),
      leftOutText(one),
    ]),
    views.length === 0 ? '' : `Views: ${views.map(({ name, rows }) => `${code(name)} (${count(rows)})`).join(', ')}.`,
    empty.length === 0 ? '' : `Without rows: ${empty.map(code).join(', ')}.`,
  ];
}

function section(heading: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  return rows.length === 0 ? [] : [`### ${heading}`, table(head, rows)];
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** A name in a table; a backtick would end it. */
function code(name: string): string {
  return `\`${name.replaceAll('`', "'")}\``;
}

function cell(value: Cell): string {
  return value === null ? '' : line(String(value)).replaceAll('|', '\\|');
}

/** A text in one line, without what Markdown or HTML would act upon; code stays as it is. */
function line(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/[\\*[\]<>#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&')))
    .join('');
}
