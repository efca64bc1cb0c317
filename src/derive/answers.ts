import type { Database } from 'better-sqlite3';
import { isObject, type Json, type JsonObject } from '../shared/json.ts';
import { defineDerived, NEVER, VALUE, WHOSE, type Part } from './define.ts';
import { plannedIn, type Planned } from './design.ts';
import { questionIn, SCALE, scaleIn, scaleOr, type Scale } from './scale.ts';
import { secondsOf } from './moment.ts';
import { idIn, Members, Num, numberIn, objectOf, Parsed, rowsOf, Text, textIn, type Placed } from './source.ts';
import { typed } from './typed.ts';

const COLUMNS = {
  ...WHOSE,
  kind: {
    type: 'TEXT',
    about: 'What asked for it.',
    missing: NEVER,
    values: {
      questionnaire: 'a question of a questionnaire',
      component: 'a component that asks, in a state',
      rating: 'a single rating',
    },
    isCode: true,
  },
  question_id: {
    type: 'TEXT',
    about: 'What was asked: the id of the question or, where it has none, its text (questionnaires) or the component.',
    missing: 'The record names no question and no component.',
    isCode: true,
  },
  question: {
    type: 'TEXT',
    about: 'The question, from the record or from the settings of the component.',
    missing: 'Neither the record nor the configuration has the words.',
  },
  question_type: {
    type: 'TEXT',
    about: 'The type of the question or the component.',
    missing: 'Neither the record nor the component says.',
    isCode: true,
  },
  ...VALUE,
  ...SCALE,
  response_time: {
    type: 'REAL',
    about: 'How long the participant took to answer.',
    unit: 'ms',
    missing: 'The record does not say.',
  },
  attempt: {
    type: 'INTEGER',
    about: '1 for the first answer of the participant to this question.',
    unit: 'rank',
    missing: NEVER,
  },
  is_last: {
    type: 'INTEGER',
    about: "Whether it is the participant's last answer to this question.",
    isBoolean: true,
    missing: NEVER,
  },
  state_id: {
    type: 'TEXT',
    about: 'The state in which it was given.',
    missing: 'The record names none.',
    isCode: true,
  },
  state_name: {
    type: 'TEXT',
    about: 'The name of that state.',
    missing: 'The state has none, or is not known.',
    isCode: true,
  },
  component_id: { type: 'TEXT', about: 'The component that asked.', missing: 'The record names none.', isCode: true },
  stimulus_id: {
    type: 'TEXT',
    about: 'The stimulus that was rated.',
    missing: 'It is no single rating, or names none.',
    isCode: true,
  },
  sample: {
    type: 'REAL',
    about: 'Which pause of the stimulus, of a single rating, from 0.',
    unit: 'rank',
    missing: 'It is no single rating, or the only one.',
  },
  timestamp: {
    type: 'TEXT',
    about: 'When it was given, UTC.',
    unit: 'ISO 8601, UTC',
    missing: 'The record has no time.',
  },
  timestamp_unix: {
    type: 'REAL',
    about: 'When it was given.',
    unit: 's since 1970, UTC',
    missing: 'The record has no time.',
  },
  onset: {
    type: 'REAL',
    about: 'When it was given, from the start of the experiment.',
    unit: 'ms',
    missing: 'The record has none.',
  },
  onset_s: {
    type: 'REAL',
    about: 'When it was given, from the start of the experiment.',
    unit: 's',
    missing: 'The record has none.',
  },
  table_name: {
    type: 'TEXT',
    about: 'The table with the record.',
    missing: NEVER,
    isCode: true,
    allowed: ['events', 'ratings_sparse'],
  },
  key: { type: 'TEXT', about: 'Its key there.', missing: NEVER },
} as const;

type Answer = Readonly<Record<keyof typeof COLUMNS, string | number | null>>;
/** An answer before it is known how often the question was answered. */
type Given = Omit<Answer, 'attempt' | 'is_last'>;

export const answers = defineDerived({
  name: 'answers',
  about: 'All answers in one form: questionnaires, components that ask, and single ratings.',
  row: 'an answer',
  key: ['table_name', 'key'],
  of: 'room',
  sources: ['events', 'ratings/sparse', 'components'],
  commonSources: ['experiment-configs'],
  version: 2,
  columns: COLUMNS,
  rows(db, part) {
    const planned = plannedIn(db, part.experiment);
    const shown = shownIn(db, part);
    return numbered([...inEvents(db, part, { planned, shown }), ...inRatings(db, part, { planned, shown })]);
  },
});

/**
 * Events that are answers. Questionnaires have either category. A published answer of a component has no event type,
 * and its answer in `content`. A value or response that is neither an object nor a list is in `extra`. Events of single
 * ratings repeat what is in ratings_sparse.
 */
const IS_ANSWER = `participant_id IS NOT NULL AND (
  (category IN ('questionnaire', 'post_experiment')
    AND coalesce(value, response, extra ->> 'value', extra ->> 'response') IS NOT NULL)
  OR event_type = 'component.response'
  OR (category = 'component' AND (coalesce(response, extra ->> 'response') IS NOT NULL
    OR (event_type IS NULL AND content IS NOT NULL))))`;

const EVENT = {
  category: Text,
  event_type: Text,
  component_type: Text,
  component_id: Text,
  content: Text,
  state_id: Text,
  state_name: Text,
  response: Parsed,
  value: Parsed,
  extra: Members,
};

/** What is known about questions besides the answers: the design, and the settings of each component by its id. */
interface Asked {
  readonly planned: readonly Planned[];
  readonly shown: ReadonlyMap<string, JsonObject>;
}

function shownIn(db: Database, part: Part): Asked['shown'] {
  const shape = { component_id: Text, config: Members };
  const rows = rowsOf(db, 'components', part, { shape, where: 'component_id IS NOT NULL AND config IS NOT NULL' });
  return new Map(rows.map(({ component_id, config }) => [component_id ?? '', config]));
}

function inEvents(db: Database, part: Part, asked: Asked): Given[] {
  return rowsOf(db, 'events', part, { shape: EVENT, where: IS_ANSWER }).map((event) => {
    const value = event.value ?? event.extra['value'];
    const response = event.response ?? event.extra['response'];
    const [said, responded] = [objectOf(value), objectOf(response)];
    const isQuestionnaire = event.category === 'questionnaire' || event.category === 'post_experiment';
    const [id, own] = [idIn(said, 'questionId'), textIn(said, 'questionText', 'question')];
    const { question, scale } = askedIn(asked, event, id);
    return {
      ...placed(part, event),
      kind: isQuestionnaire ? 'questionnaire' : 'component',
      question_id: id ?? (isQuestionnaire ? (own ?? event.component_id) : (event.component_id ?? own)),
      question: own ?? question,
      question_type: textIn(said, 'questionType') ?? event.component_type,
      ...typed(answerIn({ value, response, content: event.content })),
      ...scaleOr(scaleIn(said), scale),
      response_time: numberIn(said, 'responseTime') ?? numberIn(responded, 'responseTime'),
      state_id: event.state_id,
      state_name: event.state_name,
      component_id: event.component_id,
      stimulus_id: null,
      sample: null,
      table_name: 'events',
    };
  });
}

interface Said {
  readonly value: Json | undefined;
  readonly response: Json | undefined;
  readonly content: string | null;
}

/** What was answered: the `answer` of a questionnaire, the `value` of a response, or a published event's content. */
function answerIn({ value, response, content }: Said) {
  const [said, responded] = [objectOf(value), objectOf(response)];
  if ('answer' in said) return said['answer'];
  if ('value' in responded) return responded['value'];
  return [response, value].find(isSaid) ?? content;
}

function isSaid(value: Json | undefined): boolean {
  return value !== undefined && value !== null && !(isObject(value) && Object.keys(value).length === 0);
}

/** The question and the scale of an answer, as far as they are known from elsewhere. */
function askedIn(
  { planned, shown }: Asked,
  place: { component_id: string | null; state_id: string | null },
  questionId: string | null,
): { question: string | null; scale: Scale } {
  const settings = shown.get(place.component_id ?? '') ?? {};
  const plan = planned.find((one) => isPlanOf(one, place, questionId));
  return { question: questionIn(settings) ?? plan?.question ?? null, scale: scaleOr(scaleIn(settings), plan) };
}

function isPlanOf(
  planned: Planned,
  { component_id, state_id }: { component_id: string | null; state_id: string | null },
  questionId: string | null,
): boolean {
  if (questionId !== null) return planned.question_id === questionId;
  if (component_id !== null && planned.component_id !== null) return planned.component_id === component_id;
  return planned.part === 'state' && state_id !== null && planned.state_id === state_id;
}

const RATING = {
  component_id: Text,
  state_id: Text,
  stimulus_id: Text,
  type: Text,
  value: Num,
  scale_min: Num,
  scale_max: Num,
  scale: Members,
  labels: Members,
  response_time: Num,
  metadata: Members,
};

function inRatings(db: Database, part: Part, asked: Asked): Given[] {
  const shape = { ...RATING, extra: Members };
  return rowsOf(db, 'ratings_sparse', part, { shape, where: 'participant_id IS NOT NULL' }).map((rating) => {
    const { metadata, labels, scale_min, scale_max } = rating;
    const { question, scale } = askedIn(asked, rating, null);
    const own = textIn(metadata, 'question');
    return {
      ...placed(part, rating),
      kind: 'rating',
      question_id: rating.component_id ?? textIn(metadata, 'dimension') ?? own,
      question: own ?? question,
      question_type: textIn(metadata, 'componentType') ?? rating.type,
      ...typed(rating.value ?? rating.extra['value']),
      ...scaleOr(scaleIn({ scale: rating.scale, labels, scaleMin: scale_min, scaleMax: scale_max }), scale),
      response_time: rating.response_time,
      state_id: rating.state_id,
      state_name: nameOfState(asked, rating.state_id),
      component_id: rating.component_id,
      stimulus_id: rating.stimulus_id,
      sample: numberIn(metadata, 'sampleIndex'),
      table_name: 'ratings_sparse',
    };
  });
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

/** Numbers the answers of each participant to each question; they come in the order in which they were given. */
function numbered(given: readonly Given[]): Answer[] {
  const groups = Map.groupBy(given, ({ participant_id, kind, question_id, component_id, stimulus_id, sample }) =>
    JSON.stringify([participant_id, kind, question_id, component_id, stimulus_id, sample]),
  );
  const places = new Map(
    [...groups.values()].flatMap((group) =>
      group.map((one, i) => [one, { attempt: i + 1, is_last: Number(i === group.length - 1) }]),
    ),
  );
  return given.flatMap((one) => {
    const place = places.get(one);
    return place === undefined ? [] : [{ ...one, ...place }];
  });
}
