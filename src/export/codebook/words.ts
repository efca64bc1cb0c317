import { count, counted } from '../../shared/count.ts';
import type { Study, TableBook } from './codebook.ts';
import type { ColumnBook } from './columns.ts';
import type { QuestionBook } from './questions.ts';
import { numberText, type Level } from './shown.ts';
import type { VariableBook } from './variables.ts';

/** The sentences and cells that every form of a codebook has. */

export function titleOf({ name, id }: Study): string {
  return name ?? id;
}

/** What the first line says of the data. */
export function headlineOf({ completeness: { lacks, asOf } }: Study): { isComplete: boolean; text: string } {
  if (asOf === null) return { isComplete: false, text: 'No data of this experiment were read yet.' };
  if (lacks.length > 0) return { isComplete: false, text: `These data may be incomplete, as of ${timeText(asOf)}:` };
  return { isComplete: true, text: `Everything that was read is complete, as of ${timeText(asOf)}.` };
}

/** Which of several experiments may be incomplete, for the top of the page; empty where there is one, or none may be. */
export function warningOf(studies: readonly Study[]): string {
  const doubtful = studies.filter((study) => !headlineOf(study).isComplete).map(titleOf);
  return studies.length < 2 || doubtful.length === 0 ? '' : `The data may be incomplete of: ${doubtful.join(', ')}.`;
}

/** What is not in the file although nothing went wrong. */
export function notesOf({ completeness: { unreadable, unasked } }: Study): string[] {
  return [
    ...(unreadable.length === 0 ? [] : [`Not read, as the key may not read it: ${unreadable.join(', ')}.`]),
    ...(unasked.length === 0 ? [] : [`Not asked for: ${unasked.join(', ')}.`]),
  ];
}

export function factsOf({ id, people, rooms, finished, from, to }: Study): [string, string][] {
  return [
    ['Experiment', id],
    ['Participations', `${count(people)}, of which ${count(finished)} finished`],
    ['Rooms', count(rooms)],
    ...(from === null || to === null ? [] : [['Joined', from === to ? from : `${from} to ${to}`] as [string, string]]),
  ];
}

/** Beside a table: how many rows it has, and whether that is all. */
export function stateOf({ rows, lacking, asOf }: TableBook): string {
  const read = asOf === null ? 'never read' : `as of ${timeText(asOf)}`;
  return `${counted(rows, 'row')}, ${lacking.length === 0 ? 'complete' : `may be incomplete: ${lacking.join(', ')}`}, ${read}`;
}

/** What is said below a table of which columns are left out; empty where none is. */
export function leftOutText({ leftOut }: TableBook): string {
  if (leftOut === 0) return '';
  const are = leftOut === 1 ? 'is left out, as it is' : 'are left out, as they are';
  return `${counted(leftOut, 'column')} ${are} named after participants, rooms or addresses.`;
}

/** `2026-01-12 09:02 UTC` */
export function timeText(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

/** The values of a column: the most frequent, or the ends of their range. */
export function valuesText(column: Pick<ColumnBook, 'levels' | 'others' | 'minimum' | 'maximum' | 'unit'>): string {
  if (column.levels.length > 0) return levelsText(column);
  const { minimum, maximum } = column;
  if (minimum === null || maximum === null) return '';
  const end = (value: string | number) => (typeof value === 'number' ? numberText(value) : timeText(value));
  return minimum === maximum ? end(minimum) : `${end(minimum)} to ${end(maximum)}`;
}

export function levelsText({ levels, others }: { readonly levels: readonly Level[]; readonly others: number }): string {
  const listed = levels.map(({ value, label, n }) => {
    const meant = label === null || label === value ? '' : ` (${label})`;
    return `${value}${meant}: ${count(n)}`;
  });
  return [
    ...listed,
    ...(others === 0 ? [] : [`${listed.length === 0 ? 'not listed' : 'others'}: ${count(others)}`]),
  ].join(' · ');
}

/** What asked a question, where, and what of a stimulus it was about. */
export function askedByText({ kind, type, component, state, dimension }: QuestionBook): string {
  return [kind, type, component, state, dimension].filter(Boolean).join(', ');
}

/** What was answered, or what a variable came to. */
export function summaryText(book: QuestionBook | VariableBook): string {
  const { minimum, mean, maximum } = book;
  const range =
    minimum === null || mean === null || maximum === null
      ? []
      : [`${numberText(minimum)} to ${numberText(maximum)}, mean ${numberText(mean)}`];
  const levels = levelsText(book);
  return [...range, ...(levels === '' ? [] : [levels])].join(' · ');
}

export function answersText({ answers, people, empty, repeated }: QuestionBook): string {
  const more = [
    ...(empty === 0 ? [] : [`${count(empty)} empty`]),
    ...(repeated === 0 ? [] : [`${count(repeated)} replaced by a later one`]),
  ];
  return [`${count(answers)} by ${people === 1 ? '1 person' : `${count(people)} people`}`, ...more].join(', ');
}

/** What the values in a codebook are, and are not. */
export const PRIVACY =
  'Names, addresses, messages, free texts and ids are only counted. Values are listed where they are codes of HyperStudy or of the design, and for variables and choices where two or more share them. Read it all the same before you publish it: small groups may be recognised by a rare value.';
