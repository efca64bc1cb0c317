import { defineDataset } from './define.ts';
import { EXPERIMENT, PARTICIPANT, ROOM } from './fields.ts';

export const agentRuns = defineDataset({
  name: 'agent-runs',
  about: 'Runs of AI agents: what each was, how much it used and what it cost.',
  keyScopes: ['read:events'],
  scopes: ['experiment'],
  identity: ['id'],
  timeField: 'startedAt',
  read: 'snapshot',
  unpaged: true,
  fields: {
    id: { kind: 'text', about: 'The id of the run.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    startedAt: { kind: 'time', about: 'When the run started.', privacy: 'indirect' },
    endedAt: {
      kind: 'time',
      about: 'When it ended.',
      privacy: 'indirect',
      missing: 'It has not ended, or the API does not say when.',
    },
    provider: { kind: 'text', about: 'The provider of the model.', privacy: 'none', isCode: true },
    model: { kind: 'text', about: 'The language model.', privacy: 'none', isCode: true },
    seed: { kind: 'integer', about: 'The random seed.', privacy: 'none', unit: 'id' },
    totalCostUsd: { kind: 'real', about: 'What the run cost.', privacy: 'none', unit: 'US dollars' },
    roomStatus: { kind: 'text', about: 'State of its room.', privacy: 'none', isCode: true },
    orphaned: { kind: 'boolean', about: 'Whether its room ended abnormally.', privacy: 'none' },
    personaId: { kind: 'text', about: 'The persona of the agent.', privacy: 'none' },
    personaName: { kind: 'text', about: 'The name of that persona.', privacy: 'none', isCode: true },
    totalInputTokens: { kind: 'integer', about: 'Tokens read in all.', privacy: 'none', unit: 'tokens' },
    totalOutputTokens: { kind: 'integer', about: 'Tokens written in all.', privacy: 'none', unit: 'tokens' },
    turns: { kind: 'integer', about: 'How many turns it took.', privacy: 'none', unit: 'count' },
    codeCommitSha: {
      kind: 'text',
      about: "The version of HyperStudy's code that ran it.",
      privacy: 'none',
      isCode: true,
    },
    cognition: { kind: 'json', about: 'The settings of how the agent thinks.', privacy: 'none' },
  },
});
export const agentRunsTable = agentRuns.drizzle;
