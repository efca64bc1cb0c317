import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const ratingsContinuous = defineDataset({
  name: 'ratings/continuous',
  about: 'Slider ratings sampled every 100 to 500 ms while a stimulus plays.',
  keyScopes: ['read:ratings'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['ratingId'],
  timeField: 'timestamp',
  read: 'incremental',
  // A participant's course, and means by participant and component, without a look at the table.
  queryIndexes: [['experimentId', 'participantId', 'componentId', 'onset', 'value']],
  fields: {
    ratingId: { kind: 'text', about: 'The id of the rating.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    componentId: { kind: 'text', about: 'The component that was rated.', privacy: 'none', isCode: true },
    timestamp: TIMESTAMP,
    onset: ONSET,
    value: { kind: 'real', about: 'The rating.', privacy: 'none', unit: 'scale units' },
    normalizedValue: { kind: 'real', about: 'The rating on the scale from 0 to 1.', privacy: 'none', unit: '1' },
    rawValue: { kind: 'real', about: 'The rating before any processing.', privacy: 'none', unit: 'scale units' },
    scaleMin: { kind: 'real', about: 'Lower end of the scale.', privacy: 'none', unit: 'scale units' },
    scaleMax: { kind: 'real', about: 'Upper end of the scale.', privacy: 'none', unit: 'scale units' },
  },
});
export const ratingsContinuousTable = ratingsContinuous.drizzle;
