import { defineDataset } from './define.ts';

export const experiments = defineDataset({
  name: 'experiments',
  about: 'The experiments themselves.',
  keyScopes: ['read:experiments'],
  scopes: ['experiment'],
  path: '/experiments/{id}',
  identity: ['id'],
  idScope: 'experiment',
  timeField: 'createdAt',
  read: 'single',
  fields: {
    id: { kind: 'text', about: 'The id of the experiment.', privacy: 'none' },
    name: { kind: 'text', about: 'Its name.', privacy: 'none', isCode: true },
    description: { kind: 'text', about: 'Its description.', privacy: 'none' },
    ownerEmail: { kind: 'text', about: 'Who owns it.', privacy: 'direct', sameAnywhere: true },
    roomCount: { kind: 'integer', about: 'How many rooms it has.', privacy: 'none', unit: 'count' },
    participantCount: { kind: 'integer', about: 'How many participants it has.', privacy: 'none', unit: 'count' },
    createdAt: { kind: 'time', about: 'When it was created.', privacy: 'none' },
    updatedAt: { kind: 'time', about: 'When it was last changed.', privacy: 'none' },
    shared: {
      kind: 'boolean',
      about: '1 if another organization shares it; otherwise empty.',
      privacy: 'none',
      isAdded: true,
      missing: 'It belongs to the organization itself.',
    },
  },
});
export const experimentsTable = experiments.drizzle;
