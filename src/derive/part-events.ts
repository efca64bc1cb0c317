import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Part } from './part.ts';
import { PLACED, rowsByOnset, Text } from './source.ts';

export const SHOWS_STATE = 'state_id IS NOT NULL AND timestamp IS NOT NULL';

/**
 * Events that are answers. Questionnaires have either category. A published answer of a component has no event type,
 * and its answer in `content`. A value or response that is neither an object nor a list is in `extra`. Events of single
 * ratings repeat what is in ratings_sparse.
 */
const IS_ANSWER = `(category IN ('questionnaire', 'post_experiment')
    AND coalesce(value, response, extra ->> 'value', extra ->> 'response') IS NOT NULL)
  OR event_type = 'component.response'
  OR (category = 'component' AND (coalesce(response, extra ->> 'response') IS NOT NULL
    OR (event_type IS NULL AND content IS NOT NULL)))`;

const PartEvent = z.object({
  ...PLACED,
  category: Text,
  event_type: Text,
  component_type: Text,
  component_id: Text,
  content: Text,
  state_id: Text,
  state_name: Text,
  response: Text,
  value: Text,
  data: Text,
  extra: Text,
  shows_state: z.number().nullable(),
  is_answer: z.number().nullable(),
});

/** An event that shows in which state someone was, or that is an answer. */
export type PartEvent = Readonly<z.infer<typeof PartEvent>>;

/** What events say of someone in a part, by onset. */
export function eventsIn(db: Database, part: Part): readonly PartEvent[] {
  return rowsByOnset(db, 'events', part, {
    type: PartEvent,
    where: `participant_id IS NOT NULL AND (${SHOWS_STATE} OR ${IS_ANSWER})`,
    computed: { shows_state: SHOWS_STATE, is_answer: IS_ANSWER },
  });
}
