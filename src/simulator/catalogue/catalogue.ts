import { agentDecisions, agentRuns } from './agents.ts';
import { chat } from './chat.ts';
import { components } from './components.ts';
import { fromDeclaration, type Declaration } from './declared.ts';
import { agentSpend, deployments, deploymentSessions } from './deployments.ts';
import type { Catalogue, Entry } from './entry.ts';
import { events } from './events.ts';
import { experimentConfigs, experiments } from './experiments.ts';
import { eyetracking } from './eyetracking.ts';
import { participants } from './participants.ts';
import { ratingsContinuous, ratingsSparse } from './ratings.ts';
import { recordings } from './recordings.ts';
import { rooms } from './rooms.ts';
import { sync } from './sync.ts';
import { variables } from './variables.ts';
import { videochat } from './videochat.ts';

const KNOWN: readonly Entry[] = [
  ...[experiments, experimentConfigs, deployments, deploymentSessions, rooms, participants],
  ...[events, recordings, chat, videochat, ratingsContinuous, ratingsSparse, sync, eyetracking, components, variables],
  ...[agentDecisions, agentRuns, agentSpend],
];

/** Every data type that is known here, and others of which only a declaration is known. */
export function catalogueWith(declared: readonly Declaration[] = []): Catalogue {
  const unknown = declared.filter(({ name }) => !KNOWN.some((entry) => entry.name === name));
  return new Map([...KNOWN, ...unknown.map(fromDeclaration)].map((entry) => [entry.name, entry]));
}
