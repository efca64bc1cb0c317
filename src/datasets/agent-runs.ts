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
    id: { kind: 'text', about: 'The id of the run.' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    startedAt: { kind: 'time', about: 'When the run started.' },
    endedAt: { kind: 'time', about: 'When it ended.', missing: 'It has not ended, or the API does not say when.' },
    provider: { kind: 'text', about: 'The provider of the model.', isCode: true },
    model: { kind: 'text', about: 'The language model.', isCode: true },
    seed: { kind: 'integer', about: 'The random seed.', unit: 'id' },
    totalCostUsd: { kind: 'real', about: 'What the run cost.', unit: 'US dollars' },
    roomStatus: { kind: 'text', about: 'State of its room.', isCode: true },
    orphaned: { kind: 'boolean', about: 'Whether its room ended abnormally.' },
    personaId: { kind: 'text', about: 'The persona of the agent.' },
    personaName: { kind: 'text', about: 'The name of that persona.', isCode: true },
    totalInputTokens: { kind: 'integer', about: 'Tokens read in all.', unit: 'tokens' },
    totalOutputTokens: { kind: 'integer', about: 'Tokens written in all.', unit: 'tokens' },
    turns: { kind: 'integer', about: 'How many turns it took.', unit: 'count' },
    codeCommitSha: { kind: 'text', about: "The version of HyperStudy's code that ran it.", isCode: true },
    cognition: { kind: 'json', about: 'The settings of how the agent thinks.' },
  },
});
export const agentRunsTable = agentRuns.drizzle;
