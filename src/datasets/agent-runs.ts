import { defineDataset } from './define.ts';

export const agentRuns = defineDataset({
  name: 'agent-runs',
  about: 'Runs of AI agents with their totals and costs.',
  keyScope: 'read:events',
  scopes: ['experiment'],
  identity: ['id'],
  timeField: 'startedAt',
  read: 'snapshot',
  unpaged: true,
  fields: {
    id: { kind: 'text', about: 'The id of the run.' },
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    startedAt: { kind: 'time', about: 'When the run began.' },
    endedAt: { kind: 'time', about: 'When it ended.' },
    provider: { kind: 'text', about: 'The provider of the model.' },
    model: { kind: 'text', about: 'The language model.' },
    seed: { kind: 'any', about: 'The random seed.' },
    totals: { kind: 'json', about: 'Totals of the run.' },
    totalCostUsd: { kind: 'real', about: 'What the run cost.', unit: 'US dollars' },
    roomStatus: { kind: 'text', about: 'State of its room.' },
    orphaned: { kind: 'boolean', about: 'Whether its room ended abnormally.' },
  },
});
export const agentRunsTable = agentRuns.drizzle;
