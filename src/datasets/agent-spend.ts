import { defineDataset } from './define.ts';

export const agentSpend = defineDataset({
  name: 'agent-spend',
  about: 'What the AI agents of each deployment have cost so far.',
  keyScopes: ['read:experiments'],
  scopes: ['deployment'],
  path: '/deployments/{id}/agent-spend',
  identity: [],
  timeField: undefined,
  read: 'single',
  mayBeAbsent: true,
  fields: {
    deploymentId: { kind: 'text', about: 'The deployment of the agents.', privacy: 'none', isAdded: true },
    total: { kind: 'real', about: 'What all of its agents cost.', privacy: 'none', unit: 'US dollars' },
    perRoom: {
      kind: 'json',
      about: 'What those of each room cost, by the id of the room, in US dollars.',
      privacy: 'indirect',
    },
  },
});
export const agentSpendTable = agentSpend.drizzle;
