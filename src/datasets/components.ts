import { defineDataset } from './define.ts';

export const components = defineDataset({
  name: 'components',
  about: 'What participants did in each component, with the variables at that moment.',
  keyScope: 'read:components',
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  timeField: 'timestamp',
  read: 'snapshot',
  options: { componentType: 'strings', completed: 'boolean', stateId: 'strings' },
  fields: {
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    componentId: { kind: 'text', about: 'The component; repeats.' },
    componentType: { kind: 'text', about: 'The type of the component.' },
    stateId: { kind: 'text', about: 'The experiment state it belongs to.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
    completed: { kind: 'boolean', about: 'Whether it was completed.' },
    config: { kind: 'json', about: 'The settings of the component.' },
    variableSnapshot: { kind: 'json', about: 'The values of the shared variables at that moment.' },
  },
});
export const componentsTable = components.drizzle;
