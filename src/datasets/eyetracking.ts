import { defineDataset } from './define.ts';
import { AS_SENT, EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const eyetracking = defineDataset({
  name: 'eyetracking',
  about: 'Gaze samples.',
  keyScopes: [],
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
    x: { kind: 'real', about: 'Horizontal gaze position.', privacy: 'none', unit: AS_SENT },
    y: { kind: 'real', about: 'Vertical gaze position.', privacy: 'none', unit: AS_SENT },
    confidence: { kind: 'real', about: 'How sure the tracker was, from 0 to 1.', privacy: 'none', unit: '1' },
    gazeX: {
      kind: 'real',
      about: 'Horizontal gaze position, from 0 to 1 of the screen.',
      privacy: 'none',
      unit: 'screen widths',
    },
    gazeY: {
      kind: 'real',
      about: 'Vertical gaze position, from 0 to 1 of the screen.',
      privacy: 'none',
      unit: 'screen heights',
    },
    pupilDiameter: { kind: 'real', about: 'Diameter of the pupil.', privacy: 'none', unit: 'mm' },
  },
});
export const eyetrackingTable = eyetracking.drizzle;
