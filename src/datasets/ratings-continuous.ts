import { defineDataset } from './define.ts';

export const ratingsContinuous = defineDataset({
  name: 'ratings/continuous',
  about: 'Slider ratings sampled every 100 to 500 ms while a stimulus plays.',
  keyScope: 'read:ratings',
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['ratingId'],
  timeField: 'timestamp',
  read: 'incremental',
  fields: {
    ratingId: { kind: 'text', about: 'The id of the rating.' },
    experimentId: { kind: 'text', about: 'The experiment the record belongs to.' },
    roomId: { kind: 'text', about: 'The room (session) the record belongs to.' },
    participantId: { kind: 'text', about: 'The participant who did it.' },
    componentId: { kind: 'text', about: 'The component that was rated.' },
    timestamp: {
      kind: 'time',
      about: 'When it happened, by the clock that the API reports (not when the server received it).',
    },
    onset: {
      kind: 'real',
      about: 'When it happened, counted from the start of the experiment; negative before it.',
      unit: 'ms',
    },
    value: { kind: 'real', about: 'The rating.', unit: 'scale units' },
    normalizedValue: { kind: 'real', about: 'The rating on the scale from 0 to 1.' },
    rawValue: { kind: 'real', about: 'The rating before any processing.', unit: 'scale units' },
    scaleMin: { kind: 'real', about: 'Lower end of the scale.', unit: 'scale units' },
    scaleMax: { kind: 'real', about: 'Upper end of the scale.', unit: 'scale units' },
  },
});
export const ratingsContinuousTable = ratingsContinuous.drizzle;
