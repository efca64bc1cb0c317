import { z } from 'zod';
import { queryRows, queryValues } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import { NAMED_AFTER, type IsPersonal } from './impersonal.ts';
import { codesAmong, labelsIn, levelsOf, type Level } from './shown.ts';

/** A question with what was answered: the last answer of each person. */
export interface QuestionBook {
  readonly id: string;
  readonly kind: string;
  /** The component, where the same question may be asked by another one, such as before and after. */
  readonly component: string | null;
  /** The state, where the component asks another question in each. */
  readonly state: string | null;
  /** What of a stimulus was rated. */
  readonly dimension: string | null;
  readonly question: string | null;
  readonly type: string | null;
  /** `1 (never) to 7 (always)` */
  readonly scale: string | null;
  readonly answers: number;
  readonly people: number;
  /** People who came to the question and left it empty. */
  readonly empty: number;
  /** How often it was answered again. */
  readonly repeated: number;
  readonly minimum: number | null;
  readonly mean: number | null;
  readonly maximum: number | null;
  readonly levels: readonly Level[];
  /** Answers that are not listed: free texts, and choices of a single person. */
  readonly others: number;
}

const Text = z.string().nullable();
const Num = z.number().nullable();
const Asked = z.object({
  id: z.string(),
  kind: z.string(),
  component: Text,
  state: Text,
  dimension: Text,
  type: Text,
  answers: z.number(),
  people: z.number(),
  empty: z.number(),
  repeated: z.number(),
  numbers: z.number(),
  booleans: z.number(),
  minimum: Num,
  mean: Num,
  maximum: Num,
  scaleMin: Num,
  scaleMax: Num,
  labelMin: Text,
  labelMax: Text,
});
type Asked = z.infer<typeof Asked>;

/** The answers with what tells questions of one id apart. */
const ANSWERS = `(SELECT *, nullif(component_id, question_id) AS component,
  CASE WHEN (experiment_id, component_id) IN (SELECT experiment_id, component_id FROM design WHERE state_id IS NOT NULL
    GROUP BY experiment_id, component_id HAVING count(DISTINCT state_id) > 1) THEN state_id END AS state FROM answers)`;

const ASKED = `SELECT question_id AS id, kind, component, state, dimension, max(question_type) AS type,
    count(*) FILTER (WHERE is_last AND value_type IS NOT NULL) AS answers,
    count(DISTINCT ifnull(room_id, '') || ' ' || participant_id) FILTER (WHERE value_type IS NOT NULL) AS people,
    count(*) FILTER (WHERE is_last AND value_type IS NULL) AS empty,
    count(*) FILTER (WHERE NOT is_last) AS repeated,
    count(value_number) FILTER (WHERE is_last) AS numbers,
    count(*) FILTER (WHERE is_last AND value_type = 'boolean') AS booleans,
    min(value_number) FILTER (WHERE is_last) AS minimum,
    avg(value_number) FILTER (WHERE is_last) AS mean,
    max(value_number) FILTER (WHERE is_last) AS maximum,
    min(scale_min) AS scaleMin, max(scale_max) AS scaleMax, max(label_min) AS labelMin, max(label_max) AS labelMax
  FROM ${ANSWERS} WHERE experiment_id = ? AND question_id IS NOT NULL GROUP BY kind, question_id, component, state, dimension
  ORDER BY min(onset), kind, question_id, component, state, dimension`;

const WHICH = 'component IS ? AND state IS ? AND dimension IS ?';

/** The questions of an experiment, in the order in which they were first answered. */
export function questionsOf(db: Db, experiment: string, isPersonal: IsPersonal): QuestionBook[] {
  return queryRows(db, ASKED, Asked)
    .all(experiment)
    .map((asked) => {
      const { id, kind, component, state, dimension, type, answers, people, empty, repeated } = asked;
      const isNumber = asked.numbers > asked.booleans;
      return {
        id: isPersonal(id) ? NAMED_AFTER : id,
        kind,
        component,
        state,
        dimension,
        question: wordsOf(db, experiment, asked, isPersonal),
        type,
        scale: scaleText(asked),
        answers,
        people,
        empty,
        repeated,
        minimum: isNumber ? asked.minimum : null,
        mean: isNumber ? asked.mean : null,
        maximum: isNumber ? asked.maximum : null,
        ...answered(db, experiment, asked, isPersonal),
      };
    });
}

/**
 * The words of a question: those of the design or, as they may be made for one person, those without a name that two or
 * more people were asked most often.
 */
function wordsOf(
  db: Db,
  experiment: string,
  { id, kind, component, state, dimension }: Asked,
  isPersonal: IsPersonal,
): string | null {
  const Words = z.string();
  const planned = `SELECT min(question) FROM design WHERE experiment_id = ? AND question IS NOT NULL
    AND coalesce(question_id, component_id) = ? AND (? IS NULL OR state_id = ?) HAVING count(DISTINCT question) = 1`;
  const asked = `SELECT question FROM ${ANSWERS} WHERE experiment_id = ? AND kind = ? AND question_id = ?
    AND ${WHICH} AND question IS NOT NULL GROUP BY question HAVING count(DISTINCT participant_id) > 1 ORDER BY count(*) DESC, question`;
  return (
    queryValues(db, planned, Words).get(experiment, id, state, state) ??
    queryValues(db, asked, Words)
      .all(experiment, kind, id, component, state, dimension)
      .find((words) => !isPersonal(words)) ??
    null
  );
}

export function scaleText({
  scaleMin,
  scaleMax,
  labelMin,
  labelMax,
}: Pick<Asked, 'scaleMin' | 'scaleMax' | 'labelMin' | 'labelMax'>): string | null {
  if (scaleMin === null && scaleMax === null) return null;
  const end = (value: number | null, label: string | null) =>
    `${value ?? '?'}${label === null || label === String(value) ? '' : ` (${label})`}`;
  return `${end(scaleMin, labelMin)} to ${end(scaleMax, labelMax)}`;
}

/** A scale of at most so many whole steps is shown step by step. */
const MOST_STEPS = 11;

const TextCount = z.object({ value: z.string(), n: z.number() });
const NumberCount = z.object({ value: z.number(), n: z.number() });
/** Types of questions whose texts are choices, although the choices are not known. */
const CHOICE = /single|multiple|choice|select|radio|check|dropdown|yes.?no|boolean/i;

function answered(
  db: Db,
  experiment: string,
  asked: Asked,
  isPersonal: IsPersonal,
): { levels: readonly Level[]; others: number } {
  const { id, kind, component, state, dimension, type, numbers, answers } = asked;
  const which = [experiment, kind, id, component, state, dimension];
  // The choices of the question and the ends of its scale.
  const labels = labelsIn(db, "table_name = 'answers' AND experiment_id = ? AND question_id = ?", experiment, id);
  const last = `FROM ${ANSWERS} WHERE experiment_id = ? AND kind = ? AND question_id = ? AND ${WHICH} AND is_last`;
  const numberCounts = queryRows(
    db,
    `SELECT value_number AS value, count(*) AS n ${last} AND value_number IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT ${MOST_STEPS + 1}`,
    NumberCount,
  ).all(...which);
  const isStepped =
    (asked.scaleMax !== null || asked.booleans > 0 || labels.size > 0) && numberCounts.length <= MOST_STEPS;
  const steps = isStepped ? levelsOf(withUnchosen(numberCounts, asked), isPersonal, labels).levels : [];
  if (numbers === answers) return { levels: steps, others: 0 };
  const texts = queryRows(
    db,
    `SELECT value, sum(n) AS n FROM (
       SELECT value_text AS value, count(*) AS n ${last} AND value_text IS NOT NULL GROUP BY 1
       UNION ALL SELECT j.value, count(*) FROM (SELECT value_json ${last} AND value_type = 'list') a, json_each(a.value_json) j WHERE j.type = 'text' GROUP BY 1
     ) GROUP BY 1 ORDER BY 1`,
    TextCount,
  ).all(...which, ...which);
  const listed = [...labels.keys()];
  if (listed.length > 0) {
    const chosen = texts.filter(({ value }) => listed.includes(value));
    const { levels } = levelsOf(
      chosen.toSorted((a, b) => listed.indexOf(a.value) - listed.indexOf(b.value)),
      isPersonal,
      labels,
    );
    return { levels: [...steps, ...levels], others: total(texts) - total(chosen) };
  }
  if (type === null || !CHOICE.test(type)) return { levels: steps, others: answers - numbers };
  const { levels, others } = codesAmong(texts, isPersonal);
  return { levels: [...steps, ...levels], others };
}

/** The steps of a scale, those that no one chose among them. */
function withUnchosen(counts: readonly z.infer<typeof NumberCount>[], { scaleMin, scaleMax }: Asked) {
  const steps = (scaleMax ?? NaN) - (scaleMin ?? NaN) + 1;
  if (!Number.isInteger(scaleMin) || !(steps > 1 && steps <= MOST_STEPS)) return counts;
  const unchosen = Array.from({ length: steps }, (_, i) => (scaleMin ?? 0) + i).filter((step) =>
    counts.every(({ value }) => value !== step),
  );
  return [...counts, ...unchosen.map((value) => ({ value, n: 0 }))].sort((a, b) => a.value - b.value);
}

function total(counted: readonly { readonly n: number }[]): number {
  return counted.reduce((sum, { n }) => sum + n, 0);
}
