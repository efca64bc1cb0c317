import { defineDataset } from './define.ts';
import { EXPERIMENT } from './fields.ts';

export const deployments = defineDataset({
  name: 'deployments',
  about: 'Deployments: batches in which the experiment was run.',
  keyScope: undefined,
  scopes: ['experiment'],
  path: '/deployments?experimentId={id}',
  identity: ['id'],
  idScope: 'experiment',
  timeField: 'createdAt',
  read: 'snapshot',
  unpaged: true,
  fields: {
    id: { kind: 'text', about: 'The id of the deployment.' },
    experimentId: EXPERIMENT,
    name: { kind: 'text', about: 'Its name.' },
    status: { kind: 'text', about: 'Active, Paused, Completed or Archived.' },
    type: { kind: 'text', about: 'Its type.' },
    createdAt: { kind: 'time', about: 'When it was made.' },
    updatedAt: { kind: 'time', about: 'When it was last changed.' },
  },
});
export const deploymentsTable = deployments.drizzle;
