import { defineDataset } from './define.ts';
import { EXPERIMENT } from './fields.ts';

export const deployments = defineDataset({
  name: 'deployments',
  about: 'Deployments: batches in which the experiment was run.',
  keyScopes: ['read:experiments'],
  scopes: ['experiment'],
  path: '/deployments?experimentId={id}',
  identity: ['id'],
  idScope: 'experiment',
  timeField: 'createdAt',
  read: 'snapshot',
  unpaged: true,
  fields: {
    id: { kind: 'text', about: 'The id of the deployment.', alsoAs: 'deployment_id' },
    experimentId: EXPERIMENT,
    name: { kind: 'text', about: 'Its name.', isCode: true },
    status: {
      kind: 'text',
      about: 'active, paused, completed or archived; capitalized in earlier answers.',
      isCode: true,
    },
    type: { kind: 'text', about: 'Its type.', isCode: true },
    createdAt: { kind: 'time', about: 'When it was created.' },
    updatedAt: { kind: 'time', about: 'When it was last changed.' },
    ownerId: { kind: 'text', about: 'Who owns it, and with it its data.' },
    ownerName: { kind: 'text', about: 'The name of the owner.' },
    participantCount: { kind: 'integer', about: 'How many participants it has.', unit: 'count' },
    maxParticipants: { kind: 'integer', about: 'The most participants it accepts.', unit: 'count' },
  },
});
export const deploymentsTable = deployments.drizzle;
