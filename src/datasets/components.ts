import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const components = defineDataset({
  name: 'components',
  about: 'What participants did in each component, with the variables at that moment.',
  keyScopes: ['read:components'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  naming: ['roomId', 'participantId', 'componentId', 'stateId', 'onset'],
  timeField: 'timestamp',
  read: 'snapshot',
  options: { componentType: 'strings', completed: 'boolean', stateId: 'strings' },
  fields: {
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    componentId: { kind: 'text', about: 'The component; repeats.', privacy: 'none', isCode: true },
    componentType: { kind: 'text', about: 'The type of the component.', privacy: 'none', isCode: true },
    stateId: { kind: 'text', about: 'The experiment state it belongs to.', privacy: 'none', isCode: true },
    timestamp: TIMESTAMP,
    onset: ONSET,
    completed: { kind: 'boolean', about: 'Whether it was completed.', privacy: 'none' },
    config: { kind: 'json', about: 'The settings of the component.', privacy: 'none' },
    variableSnapshot: {
      kind: 'json',
      about: 'The values of the shared variables at that moment.',
      privacy: 'free text',
    },
  },
});
export const componentsTable = components.drizzle;
