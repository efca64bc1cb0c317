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
  listsParts: 'deployments',
  fields: {
    id: { kind: 'text', about: 'The id of the deployment.', privacy: 'none', alsoAs: 'deployment_id' },
    experimentId: EXPERIMENT,
    name: { kind: 'text', about: 'Its name.', privacy: 'none', isCode: true },
    status: {
      kind: 'text',
      about: 'active, paused, completed or archived; capitalized in earlier answers.',
      privacy: 'none',
      isCode: true,
    },
    type: { kind: 'text', about: 'Its type.', privacy: 'none', isCode: true },
    createdAt: { kind: 'time', about: 'When it was created.', privacy: 'none' },
    updatedAt: { kind: 'time', about: 'When it was last changed.', privacy: 'none' },
    ownerId: { kind: 'text', about: 'Who owns it, and with it its data.', privacy: 'direct' },
    ownerName: { kind: 'text', about: 'The name of the owner.', privacy: 'direct', sameAnywhere: true },
    participantCount: { kind: 'integer', about: 'How many participants it has.', privacy: 'none', unit: 'count' },
    maxParticipants: { kind: 'integer', about: 'The most participants it accepts.', privacy: 'none', unit: 'count' },
  },
});
export const deploymentsTable = deployments.drizzle;
