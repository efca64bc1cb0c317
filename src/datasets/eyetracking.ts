import { defineDataset } from './define.ts';

export const eyetracking = defineDataset({
  name: 'eyetracking',
  about: 'Gaze samples.',
  keyScope: undefined,
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  timeField: 'timestamp',
  read: 'snapshot',
  fields: {
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
    x: { kind: 'real', about: 'Horizontal gaze position as the API gives it.' },
    y: { kind: 'real', about: 'Vertical gaze position as the API gives it.' },
    confidence: { kind: 'real', about: 'How sure the tracker was.' },
  },
});
export const eyetrackingTable = eyetracking.drizzle;
