import type { Usage } from '../budget/ledger.ts';
import type { Config } from '../config/schema.ts';
import type { FoundDaemon } from '../control/find-daemon.ts';
import { formatTime } from '../shared/time.ts';
import type { Issue } from '../status/issue.ts';
import { issueInJson } from '../status/issue-json.ts';
import { keyDateState } from '../status/key-issues.ts';
import { latestRead, streamsIn, type Snapshot, type StreamView } from '../status/snapshot.ts';
import { countStandings } from '../status/words.ts';
import type { Renames } from '../warehouse/renamed.ts';
import { suggestLookback } from './lookback.ts';

/** What the status shows. */
export interface Found {
  readonly config: Config;
  readonly snapshot: Snapshot;
  readonly issues: readonly Issue[];
  /** Those that are configured, and those that were read. */
  readonly streams: readonly StreamView[];
  readonly daemon: FoundDaemon;
  /** Unknown without the key. */
  readonly usage: Usage | undefined;
  readonly renamed: Renames | undefined;
  readonly departed: readonly string[];
  readonly names: ReadonlyMap<string, string>;
}

/** `hsw status --json`. */
export function statusInJson({ config, snapshot, streams, issues, daemon, usage, renamed, departed }: Found) {
  const { now, refusal } = snapshot;
  const about = daemon.kind === 'running' ? daemon.about : undefined;
  const isShared = issues.some(({ code }) => code === 'KEY_SHARED');
  const { keyExpiresAt } = config.api;
  return {
    warehouse: config.warehouse.path,
    daemon: {
      // Another user's daemon cannot be queried.
      running: daemon.kind === 'foreign' ? null : daemon.kind === 'running',
      since: about === undefined ? null : formatTime(about.startedAt),
      version: about?.version ?? null,
      dashboard: about?.http ?? null,
    },
    requestsLastHour: usage === undefined ? null : { ...usage.hour, others: usage.others },
    refused:
      refusal === undefined || !isShared
        ? null
        : { at: formatTime(refusal.at), endpoint: refusal.endpoint, waitMs: refusal.waitMs },
    keyExpires:
      keyExpiresAt === undefined
        ? null
        : {
            at: formatTime(keyExpiresAt),
            state: keyDateState({ keyExpiresAt, readAt: latestRead(streamsIn(snapshot)), now }),
          },
    suggestedLookbackMs: suggestLookback(Math.max(0, ...streams.map(({ latestMs }) => latestMs))),
    renamedColumns: renamed?.columns ?? [],
    departedParticipants: departed,
    media: snapshot.media ?? null,
    issues: issues.map(issueInJson),
    standings: countStandings(streams),
    streams: streams.map(streamInJson),
  };
}

function streamInJson(stream: StreamView) {
  const time = (ms: number | undefined) => (ms === undefined ? null : formatTime(ms));
  return {
    experiment: stream.experimentId,
    data: stream.data,
    scope: stream.scope,
    rows: stream.rows,
    complete: stream.complete,
    standing: stream.standing,
    reason: stream.reason ?? null,
    // The code of a doubt is for the issues above.
    doubts: stream.doubts.map(({ kind, text, count }) => ({ kind, text, count })),
    apiTotal: stream.apiTotal ?? null,
    quarantinedRecords: stream.quarantinedRecords,
    withheldRows: stream.withheldRows,
    missingRows: stream.missingRows,
    datedAheadRows: stream.datedAheadRows,
    dataAsOf: time(stream.dataAsOf),
    verifiedAt: time(stream.verifiedAt),
    watermark: time(stream.watermark),
    lastStatus: stream.lastStatus ?? null,
    lastError: stream.lastError ?? null,
    lateRows: stream.lateRows,
    latestMs: stream.latestMs,
  };
}
