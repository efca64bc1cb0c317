import { defineDataset } from './define.ts';
import { AS_SENT, EXPERIMENT, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const agentDecisions = defineDataset({
  name: 'agent-decisions',
  about: 'Each decision of an AI agent.',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'room'],
  identity: ['id'],
  timeField: 'timestamp',
  read: 'snapshot',
  unpaged: true,
  pageLimit: 5000,
  // A room's answer may hold the runs of its agents as well (Python SDK 0.4.1); agent-runs has them all.
  leavesOut: { _type: 'run' },
  options: { detail: 'boolean' },
  fields: {
    id: { kind: 'text', about: 'The id of the decision, unique in its room.', privacy: 'indirect' },
    _type: { kind: 'text', about: 'decision or run.', privacy: 'none', isCode: true },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    seq: { kind: 'integer', about: 'The number of the decision.', privacy: 'none', unit: 'rank' },
    stateId: { kind: 'text', about: 'The experiment state in which it was made.', privacy: 'none', isCode: true },
    stateName: { kind: 'text', about: 'The name of that state.', privacy: 'none', isCode: true },
    timestamp: TIMESTAMP,
    turnKind: { kind: 'text', about: 'The kind of turn.', privacy: 'none', isCode: true },
    action: { kind: 'text', about: 'What the agent did.', privacy: 'none', isCode: true },
    value: { kind: 'any', about: 'The value it chose.', privacy: 'free text', unit: AS_SENT },
    provider: { kind: 'text', about: 'The provider of the model.', privacy: 'none', isCode: true },
    model: { kind: 'text', about: 'The language model.', privacy: 'none', isCode: true },
    latencyMs: { kind: 'real', about: 'How long the model took.', privacy: 'none', unit: 'ms' },
    inputTokens: { kind: 'integer', about: 'Tokens read.', privacy: 'none', unit: 'tokens' },
    outputTokens: { kind: 'integer', about: 'Tokens written.', privacy: 'none', unit: 'tokens' },
    prompt: {
      kind: 'text',
      about: 'The prompt, with detail: true.',
      privacy: 'free text',
      missing: 'The API gave none; it does so with detail: true only.',
    },
    reasoning: {
      kind: 'text',
      about: 'The reasoning, with detail: true.',
      privacy: 'free text',
      missing: 'The API gave none; it does so with detail: true only.',
    },
    chain: {
      kind: 'json',
      about: 'The steps of the reasoning, with detail: true.',
      privacy: 'free text',
      missing: 'The API gave none; it does so with detail: true only.',
    },
    costUsd: { kind: 'real', about: 'What the decision cost.', privacy: 'none', unit: 'US dollars' },
    gateFired: { kind: 'boolean', about: 'Whether the agent was allowed to act at all.', privacy: 'none' },
    peerModelSnapshot: {
      kind: 'json',
      about: "The agent's model of the others, with detail: true.",
      privacy: 'free text',
      missing: 'The API gave none; it does so with detail: true only.',
    },
    predictionUpdate: {
      kind: 'json',
      about: 'How far its prediction was off, with detail: true.',
      privacy: 'free text',
      missing: 'The API gave none; it does so with detail: true only.',
    },
  },
});
export const agentDecisionsTable = agentDecisions.drizzle;
