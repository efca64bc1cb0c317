import { z } from 'zod';
import { isObject, type Json } from '../shared/json.ts';
import { askedIn, questionOf, type Asked } from './asked.ts';
import { numbered } from './attempts.ts';
import { code, flag, rank, real, text, time, unixTime, VALUE, WHOSE } from './columns.ts';
import { defineDerived, type Part } from './define.ts';
import { sharedComponents } from './design.ts';
import type { PartEvent } from './part-events.ts';
import { SCALE, scaleIn, scaleOr } from './scale.ts';
import { secondsOf } from './moment.ts';
import {
  happened,
  idIn,
  membersOf,
  Num,
  numberIn,
  objectOf,
  parsed,
  PLACED,
  rowsOf,
  Text,
  textIn,
  type Placed,
} from './source.ts';
import { typed } from './typed.ts';

const COLUMNS = {
  ...WHOSE,
  kind: code('What asked for it.', {
    values: {
      questionnaire: 'a question of a questionnaire',
      component: 'a component that asks, in a state',
      rating: 'a single rating',
    },
  }),
  question_id: code(
    'What was asked: the id of the question or, where it has none, its text (questionnaires) or the component.',
    { privacy: 'indirect', missing: 'The record names no question and no component.' },
  ),
  question: text('The question, from the record or from the settings of the component.', {
    privacy: 'free text',
    missing: 'Neither the record nor the configuration has the words.',
  }),
  question_type: code('The type of the question or the component.', {
    missing: 'Neither the record nor the component says.',
  }),
  ...VALUE,
  ...SCALE,
  response_time: real('How long the participant took to answer.', {
    privacy: 'none',
    unit: 'ms',
    missing: 'The record does not say.',
  }),
  attempt: rank(
    '1 for the first answer of the participant to this question; a component that several states show asks another one in each.',
  ),
  is_last: flag("Whether it is the participant's last answer to this question."),
  state_id: code('The state in which it was given.', { missing: 'The record names none.' }),
  state_name: code('The name of that state.', { missing: 'The state has none, or is not known.' }),
  component_id: code('The component that asked.', { missing: 'The record names none.' }),
  stimulus_id: code('The stimulus that was rated.', { missing: 'It is not a single rating, or names none.' }),
  dimension: code('What of the stimulus was rated, such as valence.', {
    missing: 'It is not a single rating, or names none.',
  }),
  sample: real('Which pause of the stimulus, of a single rating, from 0.', {
    privacy: 'none',
    unit: 'rank',
    missing: 'It is not a single rating, or the only one.',
  }),
  timestamp: time('When it was given, UTC.', { privacy: 'indirect', missing: 'The record has no time.' }),
  timestamp_unix: unixTime('When it was given.', { privacy: 'indirect', missing: 'The record has no time.' }),
  onset: real('When it was given, from the start of the experiment.', {
    privacy: 'none',
    unit: 'ms',
    missing: 'The record has none.',
  }),
  onset_s: real('When it was given, from the start of the experiment.', {
    privacy: 'none',
    unit: 's',
    missing: 'The record has none.',
  }),
  table_name: code('The table with the record.', { allowed: ['events', 'ratings_sparse'] }),
  key: text('Its key there.', { privacy: 'direct' }),
} as const;

type Answer = Readonly<Record<keyof typeof COLUMNS, string | number | null>>;

export const answers = defineDerived({
  name: 'answers',
  about: 'All answers in one form: questionnaires, components that ask, and single ratings.',
  row: 'an answer',
  key: ['table_name', 'key'],
  of: 'room',
  sources: ['events', 'ratings/sparse', 'components'],
  roomWide: ['components'],
  commonSources: ['experiment-configs'],
  version: 4,
  columns: COLUMNS,
  rows(db, part, eventsOf) {
    const events = happened(eventsOf().filter(({ is_answer }) => is_answer === 1));
    const ratings = rowsOf(db, 'ratings_sparse', part, { type: Rating, where: 'participant_id IS NOT NULL' });
    if (events.length + ratings.length === 0) return [];
    const asked = askedIn(db, part);
    const given = [
      ...events.map((event) => ({ ...placed(part, event), ...inEvent(event, asked) })),
      ...ratings.map((rating) => ({ ...placed(part, rating), ...inRating(rating, asked) })),
    ];
    return numbered(given, sharedComponents(asked.planned));
  },
});

/** An answer without what says when and whose it is. */
type Said = Omit<Answer, 'attempt' | 'is_last' | keyof ReturnType<typeof placed>>;

function inEvent(event: PartEvent, asked: Asked): Said {
  const extra = membersOf(event.extra);
  const value = parsed(event.value) ?? extra['value'];
  const response = parsed(event.response) ?? extra['response'];
  const [said, responded] = [objectOf(value), objectOf(response)];
  const isQuestionnaire = event.category === 'questionnaire' || event.category === 'post_experiment';
  const [id, own] = [idIn(said, 'questionId'), textIn(said, 'questionText', 'question')];
  const { question, scale } = questionOf(asked, event, id);
  return {
    kind: isQuestionnaire ? 'questionnaire' : 'component',
    question_id: id ?? (isQuestionnaire ? (own ?? event.component_id) : (event.component_id ?? own)),
    question: own ?? question,
    question_type: textIn(said, 'questionType') ?? event.component_type,
    ...typed(answerIn(value, response) ?? event.content),
    ...scaleOr(scaleIn(said), scale),
    response_time: numberIn(said, 'responseTime') ?? numberIn(responded, 'responseTime'),
    state_id: event.state_id,
    state_name: event.state_name,
    component_id: event.component_id,
    stimulus_id: null,
    dimension: null,
    sample: null,
    table_name: 'events',
  };
}

/** What was answered: the `answer` of a questionnaire, or the `value` of a response. */
function answerIn(value: Json | undefined, response: Json | undefined): Json | undefined {
  const [said, responded] = [objectOf(value), objectOf(response)];
  if ('answer' in said) return said['answer'];
  if ('value' in responded) return responded['value'];
  return [response, value].find(isSaid);
}

function isSaid(value: Json | undefined): boolean {
  return value !== undefined && value !== null && !(isObject(value) && Object.keys(value).length === 0);
}

const Rating = z.object({
  ...PLACED,
  component_id: Text,
  state_id: Text,
  stimulus_id: Text,
  type: Text,
  value: Num,
  scale_min: Num,
  scale_max: Num,
  scale: Text,
  labels: Text,
  response_time: Num,
  metadata: Text,
  extra: Text,
});

function inRating(rating: z.infer<typeof Rating>, asked: Asked): Said {
  const { scale_min, scale_max } = rating;
  const [metadata, labels] = [membersOf(rating.metadata), membersOf(rating.labels)];
  const { question, scale } = questionOf(asked, rating, null);
  const [own, dimension] = [textIn(metadata, 'question'), textIn(metadata, 'dimension')];
  return {
    kind: 'rating',
    question_id: rating.component_id ?? dimension ?? own,
    question: own ?? question,
    question_type: textIn(metadata, 'componentType') ?? rating.type,
    ...typed(rating.value ?? membersOf(rating.extra)['value']),
    ...scaleOr(scaleIn({ scale: parsed(rating.scale), labels, scaleMin: scale_min, scaleMax: scale_max }), scale),
    response_time: rating.response_time,
    state_id: rating.state_id,
    state_name: nameOfState(asked, rating.state_id),
    component_id: rating.component_id,
    stimulus_id: rating.stimulus_id,
    dimension,
    sample: numberIn(metadata, 'sampleIndex'),
    table_name: 'ratings_sparse',
  };
}

function nameOfState({ planned }: Asked, state: string | null): string | null {
  return (state === null ? undefined : planned.find(({ state_id }) => state_id === state)?.state_name) ?? null;
}

function placed({ experiment, room }: Part, { key, participant_id, timestamp, onset }: Placed) {
  return {
    experiment_id: experiment,
    room_id: room,
    participant_id,
    timestamp,
    timestamp_unix: secondsOf(timestamp),
    onset,
    onset_s: onset === null ? null : onset / 1000,
    key,
  };
}
