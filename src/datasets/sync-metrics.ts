import { defineDataset } from './define.ts';
import { AS_SENT, EXPERIMENT, ONSET, PARTICIPANT, ROOM, TIMESTAMP } from './fields.ts';

export const syncMetrics = defineDataset({
  name: 'sync',
  table: 'sync_metrics',
  about: "How well the participants' media were synchronized.",
  keyScopes: ['read:sync'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['metricId'],
  timeField: 'timestamp',
  read: 'incremental',
  options: { aggregationWindow: 'number' },
  fields: {
    metricId: { kind: 'text', about: 'The id of the measurement.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM,
    participantId: PARTICIPANT,
    timestamp: TIMESTAMP,
    onset: ONSET,
    timeDrift: { kind: 'real', about: 'Time difference from the host.', privacy: 'none', unit: 'ms' },
    playbackRate: { kind: 'real', about: 'Speed of the playback.', privacy: 'none', unit: '1' },
    syncQuality: { kind: 'real', about: 'Quality of the synchronization, from 0 to 1.', privacy: 'none', unit: '1' },
    latency: { kind: 'real', about: 'Network delay.', privacy: 'none', unit: 'ms' },
    bufferHealth: { kind: 'real', about: 'State of the buffer.', privacy: 'none', unit: AS_SENT },
  },
});
export const syncMetricsTable = syncMetrics.drizzle;
