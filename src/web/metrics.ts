import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { byData, countStates, oldestAge, stateOf, totalRows } from '../status/summary.ts';
import type { Code } from '../shared/errors.ts';
import { shownOf } from '../status/issue.ts';
import type { StreamView } from '../status/snapshot.ts';
import type { DaemonView } from '../status/view.ts';

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** An unknown value has no sample. */
  readonly samples: (view: DaemonView) => readonly Sample[];
}

const one = (name: string, help: string, value: (view: DaemonView) => number | undefined): Metric => ({
  name,
  help,
  labels: [],
  samples: (view) => plain(value(view)),
});

const perData = (name: string, help: string, value: (streams: StreamView[], now: number) => number | undefined) => ({
  name,
  help,
  labels: ['experiment', 'data'],
  samples: ({ experiments, now }: DaemonView) =>
    experiments.flatMap(({ id, streams }) =>
      [...byData(streams)].flatMap(([data, group]) => plain(value(group, now), { experiment: id, data })),
    ),
});

const perEndpoint = (name: string, help: string, member: 'used' | 'allowed'): Metric => ({
  name,
  help,
  labels: ['endpoint'],
  samples: ({ budget }) =>
    budget.minute.map((minute) => ({ labels: { endpoint: minute.endpoint }, value: minute[member] })),
});

/** The metrics besides those of the process itself; each name has the prefix `hyperstudy_warehouse_`. */
const METRICS: readonly Metric[] = [
  {
    name: 'info',
    help: 'The running version; the value is always 1.',
    labels: ['version'],
    samples: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  perData('rows', 'Rows of a data type of an experiment in the warehouse.', totalRows),
  perData('data_age_seconds', 'How long ago the stalest of the streams was read to its end.', (streams, now) =>
    seconds(oldestAge(streams, now)),
  ),
  perData('complete', '1 if all streams are complete, else 0; absent if the key may not read the data type.', (all) => {
    const streams = all.filter((stream) => stateOf(stream) !== 'skipped');
    return streams.length === 0 ? undefined : Number(streams.every(({ complete }) => complete));
  }),
  {
    name: 'streams',
    help: 'Streams by state: complete, incomplete, failed, skipped (the key may not read them), unread.',
    labels: ['state'],
    samples: ({ experiments }) =>
      Object.entries(countStates(experiments.flatMap(({ streams }) => streams))).map(([state, value]) => ({
        labels: { state },
        value,
      })),
  },
  one('streams_in_work', 'Streams being read at this moment.', ({ work }) => work.length),
  one(
    'last_progress_timestamp_seconds',
    'When the last page was committed or the last sync of a stream ended.',
    (view) => seconds(view.lastProgressAt),
  ),
  one('key_accepted', '1 while the API accepts the key, else 0.', (view) => lacks(view, 'KEY_REFUSED')),
  one('api_reachable', '1 while the API can be reached, else 0.', (view) => lacks(view, 'SERVER_UNREACHABLE')),
  {
    name: 'issues',
    help: 'Current issues by code and severity (error, warning, note).',
    labels: ['code', 'severity'],
    samples: ({ issues }) =>
      [...Map.groupBy(shownOf(issues), ({ code }) => code)].map(([code, all]) => ({
        labels: { code, severity: all[0]?.severity ?? 'note' },
        value: all.length,
      })),
  },
  one('hour_used_requests', 'Requests in the last hour.', ({ budget }) => budget.hour.used),
  one('hour_allowed_requests', 'Requests that the daemon may make in any hour.', ({ budget }) => budget.hour.allowed),
  perEndpoint('minute_used_requests', 'Requests to an endpoint in the last minute.', 'used'),
  perEndpoint('minute_allowed_requests', 'Requests to an endpoint that the daemon may make in any minute.', 'allowed'),
  one(
    'last_refusal_timestamp_seconds',
    'When the API last answered 429 although the daemon was within the limits; count the changes() of it.',
    ({ refusal }) => seconds(refusal?.at),
  ),
  one('wal_bytes', "Size of the warehouse's write-ahead log.", ({ warehouse }) => warehouse.walBytes),
  one('disk_free_bytes', 'Free space on the disk of the warehouse.', ({ warehouse }) => warehouse.freeBytes),
];

export interface Metrics {
  readonly contentType: string;
  /** The metrics of a view in the text format of Prometheus. */
  render(view: DaemonView): Promise<string>;
}

/** A separate registry with the metrics of the process (`process_…`, `nodejs_…`) and those of the daemon. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = METRICS.map((metric) => ({
    metric,
    gauge: new Gauge({
      name: `hyperstudy_warehouse_${metric.name}`,
      help: metric.help,
      labelNames: metric.labels,
      registers: [registry],
    }),
  }));
  return {
    contentType: registry.contentType,
    render(view) {
      for (const { metric, gauge } of gauges) {
        // Values that are gone from the view must disappear; after a reset a gauge without labels would be 0.
        gauge.reset();
        if (metric.labels.length === 0) gauge.remove();
        for (const { labels, value } of metric.samples(view)) gauge.set(labels, value);
      }
      return registry.metrics();
    },
  };
}

function lacks({ issues }: DaemonView, code: Code): number {
  return Number(issues.every((issue) => issue.code !== code));
}

function plain(value: number | undefined, labels: Record<string, string> = {}): Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
