import { isStorableText } from '../datasets/values.ts';
import { isObject, parseJson, type Json } from '../shared/json.ts';
import { code, rank, real, text } from './columns.ts';
import { defineDerived } from './define.ts';
import { plannedIn, type Planned } from './design.ts';
import { textIn } from './source.ts';

export const values = defineDerived({
  name: '_values',
  about: 'What the values of coded columns mean; those of questions come from the configuration of the experiment.',
  row: 'a value of a column, or of a question',
  key: ['experiment_id', 'table_name', 'column_name', 'question_id', 'position'],
  of: 'experiment',
  sources: ['experiment-configs'],
  version: 2,
  columns: {
    experiment_id: text('The experiment whose question it is.', {
      privacy: 'none',
      missing: 'The value means the same everywhere.',
    }),
    table_name: code('The table.'),
    column_name: code('The column.'),
    question_id: code('answers.question_id, for the values of one question.', {
      missing: 'The value is not one of a single question.',
    }),
    position: rank('The place in the order of the values, from 1.'),
    value_number: real('The value, if it is a number.', {
      privacy: 'none',
      unit: 'as recorded',
      missing: 'It is a text.',
    }),
    value_text: text('The value, if it is a text.', { privacy: 'none', missing: 'It is a number.' }),
    label: text('What it means.', { privacy: 'none' }),
  },
  rows(db, { experiment }) {
    const labels = plannedIn(db, experiment).flatMap(labelsOf);
    const distinct = [...new Map(labels.map((label) => [JSON.stringify(label), label])).values()];
    // A question may be planned several times, with other choices.
    return [...Map.groupBy(distinct, ({ question }) => question)].flatMap(([question, of]) =>
      of.map(({ value, label }, i) => ({
        experiment_id: experiment,
        table_name: 'answers',
        column_name: typeof value === 'number' ? 'value_number' : 'value_text',
        question_id: question,
        position: i + 1,
        value_number: typeof value === 'number' ? value : null,
        value_text: typeof value === 'string' ? value : null,
        label,
      })),
    );
  },
});

interface Label {
  readonly question: string;
  readonly value: string | number;
  readonly label: string;
}

/** The labels of one question: of its choices, or of the ends of its scale. */
function labelsOf(planned: Planned): Label[] {
  const question = planned.question_id ?? planned.component_id;
  if (question === null) return [];
  const ends = [
    { value: planned.scale_min, label: planned.label_min },
    { value: planned.scale_max, label: planned.label_max },
  ];
  const options = planned.options === null ? ends : optionsIn(planned.options);
  return options.flatMap(({ value, label }) => (value === null || label === null ? [] : [{ question, value, label }]));
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
  return typeof value === 'number' || (typeof value === 'string' && isStorableText(value)) ? value : null;
}
