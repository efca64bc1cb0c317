import { keyIdOf } from '../../budget/key-id.ts';
import type { Usage } from '../../budget/ledger.ts';
import type { Config } from '../../config/schema.ts';
import { expiryOf, latestRead, type Expiry } from '../../status/expiry.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT } from '../../shared/errors.ts';
import { formatDuration, formatTime, HOUR_MS, DAY_MS, formatMinute } from '../../shared/time.ts';
import { namesData } from '../../schedule/streams.ts';
import { configuredExperiments, currentPositions } from '../../sync/roster.ts';
import { countStandings, headOf, notesOf, unconfiguredOf } from '../../status/words.ts';
import type { Db } from '../../warehouse/open.ts';
import type { StoredPosition } from '../../warehouse/positions.ts';
import { isWell, standingOf, type Judged, type Standing } from '../../warehouse/standing.ts';
import { recallRefusal, type Refusal } from '../../warehouse/refusal.ts';
import { openBudget } from '../../runtime/api-connection.ts';
import { openReader } from '../../runtime/runtime.ts';
import { readConfig, type Command } from '../context.ts';
import { count } from '../../shared/count.ts';
import { table } from '../output.ts';
import { findDaemon, type FoundDaemon } from '../../control/find-daemon.ts';
import { recallList, type ListIssue } from '../../warehouse/experiment-list.ts';
import { REFUSAL_MATTERS_MS } from '../../status/view.ts';

/** `hsw status`: reads the warehouse without disturbing a writer. */
export const status: Command<unknown> = async (context) => {
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    const found = look(config, db, await findDaemon(config.warehouse.path));
    context.stdout.write(context.json ? `${JSON.stringify(inJson(found), null, 2)}\n` : text(found));
    const isAll = found.streams.length > 0 && found.issues.length === 0;
    return isAll && isWell(found.streams) ? EXIT.ok : EXIT.partial;
  } finally {
    db.close();
  }
};

/** A stream that is configured or was read, and how it stands. */
interface Stream extends StoredPosition, Judged {}

/** What the status tells; times are milliseconds since 1970 UTC. */
interface Found {
  readonly config: Config;
  readonly now: number;
  readonly streams: readonly Stream[];
  /** What is wrong with the list of experiments. */
  readonly issues: readonly ListIssue[];
  readonly daemon: FoundDaemon;
  readonly expiry: Expiry | undefined;
  readonly refusal: Refusal | undefined;
  /** Unknown without the key. */
  readonly usage: Usage | undefined;
}

function look(config: Config, db: Db, daemon: FoundDaemon): Found {
  const now = systemClock.now();
  const streams = currentPositions(db, configuredExperiments(db, config)).map((position) => ({
    ...position,
    standing: standingOf(position),
    isNamed: namesData(config, position),
  }));
  const { key, keyExpiresAt } = config.api;
  const refusal = recallRefusal(db, key === undefined ? undefined : keyIdOf(key));
  return {
    config,
    now,
    streams,
    issues: recallList(db, config),
    daemon,
    expiry: expiryOf({ keyExpiresAt, readAt: latestRead(streams), now }),
    refusal: refusal !== undefined && now - refusal.at < REFUSAL_MATTERS_MS ? refusal : undefined,
    usage: key === undefined ? undefined : openBudget(config, db, systemClock).usage(),
  };
}

function text(found: Found): string {
  const { config, now, streams, expiry, usage } = found;
  const configured = streams.filter(({ standing }) => standing !== 'unconfigured');
  const rows = configured.map((stream) => [
    stream.experimentId,
    stream.data,
    stream.scope,
    stream.rows,
    age(stream.dataAsOf, now),
    stream.lateRows === 0 ? '' : `${count(stream.lateRows)}, up to ${formatDuration(stream.latestMs)}`,
    completeness(stream),
  ]);
  return [
    ...found.issues.map(({ message, hint }) => `✗ Not complete: ${message}\n  ${hint}\n`),
    `${headOf(streams)}\n\n`,
    `${table(['experiment', 'data', 'scope', 'rows', 'data as of', 'late rows', 'complete'], rows)}\n\n`,
    ...[...notesOf(configured), ...unconfiguredOf(streams)].map((line) => `${line}\n`),
    daemonText(found),
    usage === undefined ? '' : usageText(usage),
    refusalText(found),
    expiry === undefined ? '' : `✗ ${expiry.subject}. ${expiry.text}\n  ${expiry.hint}\n`,
    lateText(streams, config.lookbackMs),
    unverifiedText(found),
    `${config.warehouse.path}\n`,
  ].join('');
}

function daemonText({ daemon, now }: Found): string {
  if (daemon.kind === 'none')
    return 'No daemon is running: `hsw daemon` keeps the warehouse fresh; `hsw sync now` reads what is new once.\n';
  if (daemon.kind === 'foreign')
    return 'A daemon of another user keeps the warehouse, or did so before it was killed: only its own user can ask it.\n';
  const { about } = daemon;
  if (about === undefined)
    return 'A daemon is running, but gives no account of itself: it is busy, or of another version.\n';
  const since = `A daemon keeps it fresh, since ${formatMinute(about.startedAt)} (${formatDuration(Math.max(0, now - about.startedAt))}).`;
  return `${since}${about.http === null ? '' : ` Its dashboard: ${about.http}`}\n`;
}

function usageText({ hour, others }: Usage): string {
  const theirs = others === 0 ? '' : ` ${count(others)} more count as spent by another program.`;
  return `Requests in the last hour: ${count(hour.used - others)} of ${count(hour.allowed)}.${theirs}\n`;
}

function refusalText({ refusal, config, now }: Found): string {
  if (refusal === undefined) return '';
  const { at, endpoint } = refusal;
  return `! The API refused a request for ${endpoint} at ${formatMinute(at)} (${formatDuration(Math.max(0, now - at))} ago), although we kept within our limits: another program uses the same key.
  Give the warehouse a key of its own, or leave that program more: raise api.limits.reserve in the config (now ${config.api.limits.reserve}).
`;
}

function inJson({ config, streams, issues, daemon, expiry, refusal, usage }: Found) {
  const about = daemon.kind === 'running' ? daemon.about : undefined;
  return {
    warehouse: config.warehouse.path,
    daemon: {
      // Another user's daemon cannot be asked.
      running: daemon.kind === 'foreign' ? null : daemon.kind === 'running',
      since: about === undefined ? null : formatTime(about.startedAt),
      version: about?.version ?? null,
      dashboard: about?.http ?? null,
    },
    requestsLastHour: usage === undefined ? null : { ...usage.hour, others: usage.others },
    refused:
      refusal === undefined ? null : { at: formatTime(refusal.at), endpoint: refusal.endpoint, waitMs: refusal.waitMs },
    keyExpires: keyInJson(config.api.keyExpiresAt, expiry),
    suggestedLookbackMs: suggestLookback(Math.max(0, ...streams.map(({ latestMs }) => latestMs))),
    issues,
    standings: countStandings(streams),
    streams: streams.map(streamInJson),
  };
}

function keyInJson(keyExpiresAt: number | undefined, expiry: Expiry | undefined) {
  return keyExpiresAt === undefined ? null : { at: formatTime(keyExpiresAt), state: expiry?.state ?? 'far' };
}

/** What the observed lateness says of the lookback, by the stream whose rows came latest. */
function lateText(streams: readonly StoredPosition[], lookbackMs: number): string {
  const latest = streams.reduce<StoredPosition | undefined>(
    (worst, stream) => (stream.latestMs > (worst?.latestMs ?? 0) ? stream : worst),
    undefined,
  );
  if (latest === undefined) return '';
  const seen = `Rows of ${latest.data} were first seen up to ${formatDuration(latest.latestMs)} after their time; the lookback is ${formatDuration(lookbackMs)}`;
  const wanted = suggestLookback(latest.latestMs);
  return wanted <= lookbackMs
    ? `${seen}.\n`
    : `${seen}.\n  The next sync finds such rows in any case; for fewer requests, set in the config: lookback: ${wanted / HOUR_MS}h\n`;
}

/**
 * A pass of the nightly reconcile takes 28 nights and is dated by its beginning, so that a stream's date is up to two
 * passes old; what is older by some days was not reached.
 */
const LONGEST_UNVERIFIED_MS = 60 * DAY_MS;

/** Streams that cannot be compared any more. */
const NOT_COMPARED: ReadonlySet<Standing> = new Set(['skipped', 'lost', 'gone', 'unconfigured']);

/** Streams that nothing has compared whole for long; without the daemon nothing does so by itself. */
function unverifiedText({ streams, daemon, config, now }: Found): string {
  const late = streams
    .filter(
      ({ standing, verifiedAt }) => !NOT_COMPARED.has(standing) && now - (verifiedAt ?? now) > LONGEST_UNVERIFIED_MS,
    )
    .sort((a, b) => (a.verifiedAt ?? 0) - (b.verifiedAt ?? 0));
  const [oldest] = late;
  if (oldest === undefined) return '';
  const { experimentId, data, scope, verifiedAt = now } = oldest;
  const name = `${data} of ${experimentId}${scope === 'experiment' ? '' : `, ${scope}`}`;
  const more =
    daemon.kind === 'none'
      ? 'Only the daemon compares old rows by itself, every night.'
      : `The nightly reconcile does not keep up: raise reconcile.budgetShare in the config (now ${config.reconcile.budgetShare}).`;
  return `! ${count(late.length)} ${late.length === 1 ? 'stream was' : 'streams were'} last compared whole with the API more than 60 days ago (${name}: ${formatMinute(verifiedAt)}). What changed in old rows since then may be missing.
  ${more} To compare everything now: hsw verify --deep --repair
`;
}

/** Lookbacks that people write, in milliseconds. */
const LOOKBACKS = [1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 8760].map((hours) => hours * HOUR_MS);

/** The next lookback that holds the latest row with a fifth to spare. */
export function suggestLookback(latestMs: number): number {
  return LOOKBACKS.find((lookback) => lookback >= latestMs * 1.2) ?? LOOKBACKS.at(-1) ?? latestMs;
}

function age(dataAsOf: number | undefined, now: number): string {
  return dataAsOf === undefined ? 'never' : `${formatDuration(Math.max(0, now - dataAsOf))} ago`;
}

function completeness({ complete, reason, standing }: Stream): string {
  if (complete) return 'yes';
  return `${standing === 'skipped' ? 'skipped' : 'NO'}: ${(reason ?? 'not read yet').slice(0, 400)}`;
}

function streamInJson(stream: Stream) {
  const time = (ms: number | undefined) => (ms === undefined ? null : formatTime(ms));
  return {
    experiment: stream.experimentId,
    data: stream.data,
    scope: stream.scope,
    rows: stream.rows,
    complete: stream.complete,
    standing: stream.standing,
    reason: stream.reason ?? null,
    doubts: stream.doubts,
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
