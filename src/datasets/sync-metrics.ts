import { defineDataset } from './define.ts';

export const syncMetrics = defineDataset({
  name: 'sync',
  table: 'sync_metrics',
  about: 'How well the media of the participants ran in step.',
  keyScope: 'read:sync',
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['metricId'],
  timeField: 'timestamp',
  read: 'incremental',
  options: { aggregationWindow: 'number' },
  fields: {
    metricId: { kind: 'text', about: 'The id of the measurement.' },
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
    timeDrift: { kind: 'real', about: 'Distance from the host.', unit: 'ms' },
    playbackRate: { kind: 'real', about: 'Speed of the playback.' },
    syncQuality: { kind: 'real', about: 'Quality of the synchrony, from 0 to 1.' },
    latency: { kind: 'real', about: 'Network delay.', unit: 'ms' },
    bufferHealth: { kind: 'real', about: 'State of the buffer as the API gives it.' },
  },
});
export const syncMetricsTable = syncMetrics.drizzle;
