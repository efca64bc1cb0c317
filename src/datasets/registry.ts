import type { Dataset } from './define.ts';
import { agentDecisions } from './agent-decisions.ts';
import { agentRuns } from './agent-runs.ts';
import { agentSpend } from './agent-spend.ts';
import { chat } from './chat.ts';
import { components } from './components.ts';
import { deploymentSessions } from './deployment-sessions.ts';
import { deployments } from './deployments.ts';
import { events } from './events.ts';
import { experimentConfigs } from './experiment-configs.ts';
import { experiments } from './experiments.ts';
import { eyetracking } from './eyetracking.ts';
import { participants } from './participants.ts';
import { ratingsContinuous } from './ratings-continuous.ts';
import { ratingsSparse } from './ratings-sparse.ts';
import { recordings } from './recordings.ts';
import { rooms } from './rooms.ts';
import { syncMetrics } from './sync-metrics.ts';
import { variables } from './variables.ts';
import { videochat } from './videochat.ts';

/** Every data type, in the order in which a sync reads them: what others depend on comes first. */
export const DATASETS: readonly Dataset[] = [
  experiments,
  experimentConfigs,
  deployments,
  deploymentSessions,
  rooms,
  participants,
  events,
  recordings,
  chat,
  videochat,
  ratingsContinuous,
  ratingsSparse,
  syncMetrics,
  eyetracking,
  components,
  variables,
  agentDecisions,
  agentRuns,
  agentSpend,
];

export const DATA_TYPES: readonly string[] = DATASETS.map(({ name }) => name);

const byName = new Map(DATASETS.map((dataset) => [dataset.name, dataset]));

/** The data type of that name; a name that the configuration accepted is one of `DATA_TYPES`. */
export function datasetNamed(name: string): Dataset {
  const dataset = byName.get(name);
  if (dataset === undefined) throw new Error(`there is no data type ${name}`);
  return dataset;
}

/** The options that each data type takes, by name. */
export const DATA_TYPE_OPTIONS = Object.fromEntries(DATASETS.map(({ name, options = {} }) => [name, options]));
