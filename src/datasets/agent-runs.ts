import { defineDataset } from './define.ts';
import { EXPERIMENT, PARTICIPANT, ROOM } from './fields.ts';

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
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
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
