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
    id: { kind: 'text', about: 'The id of the experiment.' },
    name: { kind: 'text', about: 'Its name.', isCode: true },
    description: { kind: 'text', about: 'Its description.' },
    ownerEmail: { kind: 'text', about: 'Who owns it.' },
    roomCount: { kind: 'integer', about: 'How many rooms it has.', unit: 'count' },
    participantCount: { kind: 'integer', about: 'How many participants it has.', unit: 'count' },
    createdAt: { kind: 'time', about: 'When it was created.' },
    updatedAt: { kind: 'time', about: 'When it was last changed.' },
    shared: {
      kind: 'boolean',
      about: '1 if another organization shares it; otherwise empty.',
      isAdded: true,
      missing: 'It belongs to the organization itself.',
    },
  },
});
export const experimentsTable = experiments.drizzle;
