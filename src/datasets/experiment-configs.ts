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
    name: { kind: 'text', about: 'The name of the experiment.', isCode: true },
    description: { kind: 'text', about: 'Its description.' },
    states: { kind: 'json', about: 'The states and their components.' },
    roles: { kind: 'json', about: 'The roles, and how many participants each has.' },
    variables: { kind: 'json', about: 'The shared variables.' },
    globalComponents: { kind: 'json', about: 'Components that are shown in every state.' },
  },
});
export const experimentConfigsTable = experimentConfigs.drizzle;
