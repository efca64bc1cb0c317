import { isObject, parseJson, type Json } from '../shared/json.ts';
import { defineDerived } from './define.ts';
import { plannedIn, type Planned } from './design.ts';
import { textIn } from './source.ts';

/** What the values of coded columns mean: those that are the same everywhere. */
export const KNOWN_VALUES: readonly (readonly [table: string, column: string, value: string, label: string])[] = [
  ...(
    [
      ['SUCCESS', 'finished'],
      ['COMPLETED_NO_CODE', 'finished; there was no code to give'],
      ['IN_PROGRESS', 'still taking part'],
      ['TIMEOUT', 'waited or answered too long'],
      ['TECHNICAL', 'a technical problem'],
      ['NOCONSENT', 'did not consent'],
      ['ABANDONED', 'left'],
    ] as const
  ).flatMap(([value, label]) =>
    ['people', 'participants'].map((table) => [table, 'completion_code', value, label] as const),
  ),
  ['answers', 'kind', 'questionnaire', 'a question of a questionnaire'],
  ['answers', 'kind', 'component', 'a component that asks, in a state'],
  ['answers', 'kind', 'rating', 'a single rating'],
  ['variable_values', 'owner', 'participant', "the person's own value"],
  ['variable_values', 'owner', 'room', 'that of everybody in the room'],
  ['design', 'part', 'state', 'in a state'],
  ['design', 'part', 'global', 'in every state'],
  ['design', 'part', 'questionnaire', 'in the questionnaire after the last state'],
  ['stages', 'start_known_by', 'event', 'an event says so'],
  ['stages', 'start_known_by', 'first event', 'it is the first of the events that show the stage'],
  ['stages', 'end_known_by', 'event', 'an event says so'],
  ['stages', 'end_known_by', 'next stage', 'the next stage began'],
  ['stages', 'end_known_by', 'participation', 'the participant finished'],
  ['stages', 'end_known_by', 'room', 'the room was closed'],
  ['stages', 'end_known_by', 'last event', 'the room is over, and no later event is known'],
  ['stages', 'end_known_by', 'open', 'it may still last'],
];

export const values = defineDerived({
  name: '_values',
  about: 'What the values of coded columns mean; those of questions come from the configuration of the experiment.',
  row: 'a value of a column, or of a question',
  key: ['experiment_id', 'table_name', 'column_name', 'question_id', 'position'],
  of: 'experiment',
  sources: ['experiment-configs'],
  version: 1,
  columns: {
    experiment_id: { type: 'TEXT', about: 'The experiment whose question it is; NULL: the same everywhere.' },
    table_name: { type: 'TEXT', about: 'The table.' },
    column_name: { type: 'TEXT', about: 'The column.' },
    question_id: { type: 'TEXT', about: 'answers.question_id, for the values of one question.' },
    position: { type: 'INTEGER', about: 'The place in the order of the values, from 1.', unit: 'rank' },
    value_number: { type: 'REAL', about: 'The value, if it is a number.', unit: 'as recorded' },
    value_text: { type: 'TEXT', about: 'The value, if it is a text.' },
    label: { type: 'TEXT', about: 'What it means.' },
  },
  rows: (db, { experiment }) => plannedIn(db, experiment).flatMap((planned) => labelled(experiment, planned)),
});

/** The labels of one question: of its choices, or of the ends of its scale. */
function labelled(experiment: string, planned: Planned) {
  const question = planned.question_id ?? planned.component_id;
  if (question === null) return [];
  const ends = [
    { value: planned.scale_min, label: planned.label_min },
    { value: planned.scale_max, label: planned.label_max },
  ];
  const options = planned.options === null ? ends : optionsIn(planned.options);
  return options
    .filter(({ value, label }) => value !== null && label !== null)
    .map(({ value, label }, i) => ({
      experiment_id: experiment,
      table_name: 'answers',
      column_name: typeof value === 'number' ? 'value_number' : 'value_text',
      question_id: question,
      position: i + 1,
      value_number: typeof value === 'number' ? value : null,
      value_text: typeof value === 'string' ? value : null,
      label,
    }));
}

function optionsIn(text: string): { value: string | number | null; label: string | null }[] {
  const options = parseJson(text);
  return (Array.isArray(options) ? options : []).map((option) => {
    if (!isObject(option)) return { value: plain(option), label: plain(option)?.toString() ?? null };
    const value = plain(option['value'] ?? option['id']);
    return { value, label: textIn(option, 'label', 'text', 'name') ?? value?.toString() ?? null };
  });
}

function plain(value: Json | undefined): string | number | null {
  return typeof value === 'number' || (typeof value === 'string' && value.isWellFormed()) ? value : null;
}
