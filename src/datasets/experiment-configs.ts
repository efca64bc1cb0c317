import { defineDataset } from './define.ts';

export const experimentConfigs = defineDataset({
  name: 'experiment-configs',
  about: 'The full configuration of each experiment: states, roles, components.',
  keyScopes: ['read:experiments'],
  scopes: ['experiment'],
  path: '/experiments/{id}/config',
  identity: [],
  timeField: undefined,
  read: 'single',
  fields: {
    name: { kind: 'text', about: 'The name of the experiment.', privacy: 'none', isCode: true },
    description: { kind: 'text', about: 'Its description.', privacy: 'none' },
    states: { kind: 'json', about: 'The states and their components.', privacy: 'none' },
    roles: { kind: 'json', about: 'The roles, and how many participants each has.', privacy: 'none' },
    variables: { kind: 'json', about: 'The shared variables.', privacy: 'none' },
    globalComponents: { kind: 'json', about: 'Components that are shown in every state.', privacy: 'none' },
  },
});
export const experimentConfigsTable = experimentConfigs.drizzle;
