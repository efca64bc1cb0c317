import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const eyetracking = defineDataset({
  name: 'eyetracking',
  about: 'Gaze samples.',
  keyScope: undefined,
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: [],
  timeField: 'timestamp',
  read: 'snapshot',
  fields: {
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    timestamp: TIMESTAMP,
    onset: ONSET,
    x: { kind: 'real', about: 'Horizontal gaze position as the API gives it.' },
    y: { kind: 'real', about: 'Vertical gaze position as the API gives it.' },
    confidence: { kind: 'real', about: 'How sure the tracker was.' },
  },
});
export const eyetrackingTable = eyetracking.drizzle;
