import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { components } from '../datasets/components.ts';
import type { JsonObject } from '../shared/json.ts';
import type { Part } from './define.ts';
import { ofState, plannedIn, type Planned } from './design.ts';
import { questionIn, scaleIn, scaleOr, type Scale } from './scale.ts';
import { membersOf, PLACED, roomWideRows, rowsOf, Text } from './source.ts';

/** What is known about questions besides their answers: the design, and the settings of components as they were shown. */
export interface Asked {
  readonly planned: readonly Planned[];
  /** The settings of a component as a person saw it in a state, or as everyone in the room did. */
  readonly settingsOf: (answered: Answered) => JsonObject;
}

const Shown = z.object({ ...PLACED, component_id: Text, state_id: Text, config: Text });

export function askedIn(db: Database, part: Part): Asked {
  const reading = { type: Shown, where: 'component_id IS NOT NULL AND config IS NOT NULL' };
  const rows = [...roomWideRows(db, components, part, reading), ...rowsOf(db, 'components', part, reading)];
  const shown = Map.groupBy(rows, ({ participant_id, component_id }) => nameOf(participant_id, component_id));
  const shownIn = (person: string | null, { component_id, state_id }: Answered) =>
    ofState(shown.get(nameOf(person, component_id)) ?? [], state_id).at(-1)?.config;
  // A component has the same settings nearly always.
  const parsed = new Map<string, JsonObject>();
  const settings = (text: string | null | undefined) => {
    if (text === null || text === undefined) return {};
    const found = parsed.get(text) ?? membersOf(text);
    parsed.set(text, found);
    return found;
  };
  return {
    planned: plannedIn(db, part.experiment),
    settingsOf: (answered) => settings(shownIn(answered.participant_id, answered) ?? shownIn(null, answered)),
  };
}

function nameOf(person: string | null, component: string | null): string {
  return JSON.stringify([person, component]);
}

interface Answered {
  readonly participant_id: string | null;
  readonly component_id: string | null;
  readonly state_id: string | null;
}

/** The question and the scale of an answer, as far as they are known from elsewhere. */
export function questionOf(
  { planned, settingsOf }: Asked,
  answered: Answered,
  questionId: string | null,
): { question: string | null; scale: Scale } {
  const settings = settingsOf(answered);
  const plans = planned.filter((one) => isPlanOf(one, answered, questionId));
  const plan = ofState(plans, answered.state_id)[0];
  return { question: questionIn(settings) ?? plan?.question ?? null, scale: scaleOr(scaleIn(settings), plan) };
}

function isPlanOf(planned: Planned, { component_id, state_id }: Answered, questionId: string | null): boolean {
  if (questionId !== null) return planned.question_id === questionId;
  if (component_id !== null && planned.component_id !== null) return planned.component_id === component_id;
  return planned.part === 'state' && state_id !== null && planned.state_id === state_id;
}
