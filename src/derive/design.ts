import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isObject, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { queryRows } from '../shared/sqlite.ts';
import { code, json, rank, real, text } from './columns.ts';
import { defineDerived } from './define.ts';
import { questionIn, SCALE, scaleIn, type Scale } from './scale.ts';
import { idIn, listIn, membersOf, numberIn, objectIn, objectOf, parsed, Text, textIn } from './source.ts';

/** One component of a state, one global component, or one question of the final questionnaire. */
export interface Planned extends Scale {
  readonly part: 'state' | 'global' | 'questionnaire';
  readonly state_id: string | null;
  readonly state_name: string | null;
  readonly component_id: string | null;
  readonly component_type: string | null;
  readonly question_id: string | null;
  readonly question: string | null;
  readonly medium: string | null;
  readonly duration: number | null;
  readonly config: string;
}

export const design = defineDerived({
  name: 'design',
  about: 'The states and components of each experiment in order, from its present configuration.',
  row: 'a component of a state, a global component, or a question of the final questionnaire',
  key: ['experiment_id', 'position'],
  of: 'experiment',
  sources: ['experiment-configs'],
  version: 1,
  columns: {
    experiment_id: text('The experiment.', { privacy: 'none' }),
    position: rank('The place in the order of the experiment, from 1.'),
    part: code('Where it is shown.', {
      values: {
        state: 'in a state',
        global: 'in every state',
        questionnaire: 'in the questionnaire after the last state',
      },
    }),
    state_id: code('The state.', { missing: 'It is in no single state.' }),
    state_name: code('The name of the state.', { missing: 'It is in no single state, or that has no name.' }),
    component_id: code('The component.', { missing: 'The configuration gives it none.' }),
    component_type: code('The type of the component.', { missing: 'The state shows nothing.' }),
    question_id: code('The id of the question, in a questionnaire.', {
      missing: 'It is not a question of a questionnaire.',
    }),
    question: text('The question.', {
      privacy: 'none',
      missing: 'It asks nothing, or the configuration does not have the words.',
    }),
    ...SCALE,
    medium: code('The video, image or sound that is shown.', { missing: 'It shows none.' }),
    duration: real('How long it is shown, if that is fixed.', {
      privacy: 'none',
      unit: 'ms',
      missing: 'It is not fixed.',
    }),
    config: json('All its settings, as JSON.', { privacy: 'none' }),
  },
  rows: (db, { experiment }) =>
    plannedIn(db, experiment).map((planned, i) => ({ experiment_id: experiment, position: i + 1, ...planned })),
});

const Config = z.object({ states: Text, global_components: Text, extra: Text });
type Config = z.infer<typeof Config>;

/** What the last configuration of each experiment came to, as each part of a table asks for it again. */
const plans = new WeakMap<Database, Map<string, { readonly config: Config; readonly planned: readonly Planned[] }>>();

/** The design of an experiment in its order, by the newest configuration: an earlier one stays until two readings lack it. */
export function plannedIn(db: Database, experiment: string): readonly Planned[] {
  const sql =
    'SELECT states, global_components, extra FROM experiment_configs WHERE experiment_id = ? ORDER BY first_seen_at DESC, key LIMIT 1';
  const config = queryRows(db, sql, Config).get(experiment);
  if (config === undefined) return [];
  const known = plans.get(db) ?? new Map<string, { config: Config; planned: readonly Planned[] }>();
  plans.set(db, known);
  const last = known.get(experiment);
  if (last !== undefined && isSame(last.config, config)) return last.planned;
  const planned = [
    ...statesIn(parsed(config.states)),
    ...globalsIn(parsed(config.global_components)),
    ...questionsIn(objectIn(membersOf(config.extra), 'postExperimentQuestionnaire')),
  ];
  known.set(experiment, { config, planned });
  return planned;
}

/** The components that several states show: an answer to one is to another question in each state. */
export function sharedComponents(planned: readonly Planned[]): ReadonlySet<string> {
  const states = Map.groupBy(planned, ({ component_id }) => component_id);
  const shared = [...states].filter(([, of]) => new Set(of.flatMap(({ state_id }) => state_id ?? [])).size > 1);
  return new Set(shared.flatMap(([component]) => component ?? []));
}

/**
 * What is known of a component in a state: what belongs to it or else to no single one. What belongs to another state is
 * taken where there is only that: an answer may name the state that follows.
 */
export function ofState<One extends { readonly state_id: string | null }>(
  known: readonly One[],
  state: string | null,
): readonly One[] {
  const own = known.filter(({ state_id }) => state_id === state);
  if (own.length > 0) return own;
  const general = known.filter(({ state_id }) => state_id === null);
  if (general.length > 0) return general;
  return new Set(known.map(({ state_id }) => state_id)).size > 1 ? [] : known;
}

function isSame(a: Config, b: Config): boolean {
  return a.states === b.states && a.global_components === b.global_components && a.extra === b.extra;
}

function statesIn(states: Json): Planned[] {
  const listed = (Array.isArray(states) ? states : []).map(objectOf);
  const place = (state: JsonObject) => numberIn(state, 'order') ?? Infinity;
  return listed
    .toSorted((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)))
    .flatMap((state) => {
      const components = [state['focusComponent'], ...listIn(state, 'components')].filter(isObject);
      const shown = components.length === 0 ? [{}] : components;
      return shown.map((component): Planned => {
        const planned = componentIn(component, 'state');
        return {
          ...planned,
          state_id: textIn(state, 'id'),
          state_name: textIn(state, 'name', 'title'),
          duration: planned.duration ?? numberIn(objectIn(state, 'transitionRules'), 'durationMs'),
        };
      });
    });
}

/** Global components stand under their type. */
function globalsIn(components: Json): Planned[] {
  return Object.entries(objectOf(components)).flatMap(([type, settings]) => {
    if (!isObject(settings)) return [];
    const planned = componentIn('config' in settings ? settings : { config: settings }, 'global');
    return [{ ...planned, component_type: planned.component_type ?? type }];
  });
}

function questionsIn(questionnaire: JsonObject): Planned[] {
  return listIn(questionnaire, 'questions')
    .filter(isObject)
    .map((question): Planned => ({
      ...componentIn({ config: question }, 'questionnaire'),
      component_type: 'questionnaire',
      question_id: idIn(question, 'id', 'questionId'),
      question: questionIn(question) ?? textIn(question, 'text', 'title'),
    }));
}

/** Names under which the settings of a component may say what it shows. */
const MEDIUM = [
  'mediaId',
  'videoId',
  'imageId',
  'audioId',
  'stimulusId',
  'mediaUrl',
  'videoUrl',
  'imageUrl',
  'audioUrl',
];

function componentIn(component: JsonObject, part: Planned['part']): Planned {
  const config = objectIn(component, 'config');
  return {
    part,
    state_id: null,
    state_name: null,
    component_id: textIn(component, 'id', 'componentId'),
    component_type: textIn(component, 'type', 'componentType'),
    question_id: null,
    question: questionIn(config),
    ...scaleIn(config),
    medium: textIn(config, ...MEDIUM),
    duration: numberIn(config, 'durationMs'),
    config: textOfJson(config),
  };
}
