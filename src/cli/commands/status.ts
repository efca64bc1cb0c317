import { dirname } from 'node:path';
import { keyIdOf } from '../../budget/key-id.ts';
import type { Usage } from '../../budget/ledger.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, isOutage } from '../../shared/errors.ts';
import { formatDuration, formatMinute } from '../../shared/time.ts';
import { namesData } from '../../schedule/streams.ts';
import { configuredExperiments, currentPositions } from '../../sync/roster.ts';
import { shownOf, type Issue, type Severity } from '../../status/issue.ts';
import { issuesOf } from '../../status/issues.ts';
import { SCHEMA_NEWS_MS } from '../../status/schema-issues.ts';
import { streamsIn, type Snapshot, type StreamView } from '../../status/snapshot.ts';
import { affectedText, headOf, proofText, titleOf } from '../../status/words.ts';
import { diskOf } from '../../warehouse/disk.ts';
import type { Db } from '../../warehouse/open.ts';
import { countMedia } from '../../warehouse/media.ts';
import { departedPeople, departedText } from '../../warehouse/departed.ts';
import { renamedColumns, renamedText } from '../../warehouse/renamed.ts';
import { schemaChangesAfter } from '../../warehouse/schema-changes.ts';
import { recallOutage } from '../../warehouse/outage.ts';
import { isWell, standingOf } from '../../warehouse/standing.ts';
import { experimentNames } from '../../warehouse/structure.ts';
import { recallRefusal } from '../../warehouse/refusal.ts';
import { walBytes } from '../../warehouse/wal.ts';
import { wantedBy } from '../../media/round.ts';
import { openBudget } from '../../runtime/budget.ts';
import { openReader } from '../../runtime/reader.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { count } from '../../shared/count.ts';
import { lateText } from '../lookback.ts';
import { mediaLines } from '../media-text.ts';
import { list } from '../selection.ts';
import { experimentsIn } from '../source.ts';
import { statusInJson, type Found } from '../status-json.ts';
import { experimentTable, streamTable } from '../status-tables.ts';
import { watch } from '../watch.ts';
import { findDaemon, type FoundDaemon } from '../../control/find-daemon.ts';
import type { About } from '../../control/protocol.ts';
import { recallList } from '../../warehouse/experiment-list.ts';

interface StatusFlags {
  readonly experiment?: readonly string[];
  readonly streams?: boolean;
  readonly problems?: boolean;
  readonly watch?: boolean;
}

export const describe: Describe = (program, run) => {
  program
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .option('--streams', 'one line for each stream: a data type of an experiment or of a room')
    .option('--problems', 'one line for each stream that is not complete')
    .option('--watch', 'show it again every two seconds until Ctrl-C; in a file or pipe every minute')
    .addHelpText(
      'after',
      `
The first line and the exit status say whether everything that is configured is complete. Below it, each experiment has
a line, and each problem says what to do.

Examples:
  hsw status
  hsw status --problems
  hsw status --watch
  hsw status --streams --experiment exp_abc123
  hsw status --json`,
    )
    .action((flags: StatusFlags) => run(status, flags, flags.watch === true ? 'service' : 'command'));
};

/** `hsw status`: reads the warehouse without disturbing a writer. */
const status: Command<StatusFlags> = async (context, flags) => {
  const { stdout, signal } = context;
  if (flags.watch === true) {
    await watch(stdout, signal, async () => (await report(context, flags)).text);
    return EXIT.ok;
  }
  const { text: shown, status: exit } = await report(context, flags);
  stdout.write(shown);
  return exit;
};

async function report(context: CommandContext, flags: StatusFlags): Promise<{ text: string; status: number }> {
  const config = readConfig(context, false);
  const db = openReader(config);
  try {
    const found = look(config, db, await findDaemon(config.warehouse.path), flags.experiment);
    const isAll = found.streams.length > 0 && found.snapshot.list.length === 0;
    return {
      text: context.json ? `${JSON.stringify(statusInJson(found), null, 2)}\n` : text(found, flags),
      status: isAll && isWell(found.streams) && !isHaltedBy(found.issues) ? EXIT.ok : EXIT.partial,
    };
  } finally {
    db.close();
  }
}

/** Whether nothing new can be read. */
function isHaltedBy(issues: readonly Issue[]): boolean {
  return issues.some(({ code }) => isOutage(code));
}

function look(config: Config, db: Db, daemon: FoundDaemon, only: readonly string[] | undefined): Found {
  const wanted = configuredExperiments(db, config);
  const names = experimentNames(db);
  const all = currentPositions(db, wanted).map((position) => ({
    ...position,
    standing: standingOf(position),
    isNamed: namesData(config, position),
  }));
  const ids = only === undefined ? undefined : experimentsIn(db, all, only);
  const streams = all.filter(({ experimentId }) => ids?.includes(experimentId) !== false);
  const snapshot = snapshotOf(config, db, {
    streams,
    gone: new Set(wanted.gone),
    daemon,
  });
  const { key } = config.api;
  return {
    config,
    snapshot,
    issues: shownOf(issuesOf(snapshot)),
    streams,
    daemon,
    usage: key === undefined ? undefined : openBudget(config, db, systemClock).usage(),
    renamed: renamedColumns(db, snapshot.now - SCHEMA_NEWS_MS),
    departed: departedPeople(db),
    names,
  };
}

/** What the warehouse holds, and what a running daemon reports. */
function snapshotOf(
  config: Config,
  db: Db,
  {
    streams,
    gone,
    daemon,
  }: { readonly streams: readonly StreamView[]; readonly gone: ReadonlySet<string>; readonly daemon: FoundDaemon },
): Snapshot {
  const {
    api,
    alerts,
    experiments,
    reconcile,
    warehouse: { path },
  } = config;
  const configured = Map.groupBy(
    streams.filter(({ standing }) => standing !== 'unconfigured'),
    ({ experimentId }) => experimentId,
  );
  const about = daemon.kind === 'running' ? daemon.about : undefined;
  const { key, keyExpiresAt, limits } = api;
  const now = systemClock.now();
  const keyId = key === undefined ? undefined : keyIdOf(key);
  return {
    now,
    experiments: [...configured].map(([id, all]) => ({
      id,
      name: undefined,
      live: false,
      isGone: gone.has(id),
      streams: all,
    })),
    unconfigured: streams.filter(({ standing }) => standing === 'unconfigured'),
    list: recallList(db, { experiments }),
    schemaChanges: schemaChangesAfter(db, now - SCHEMA_NEWS_MS),
    keyExpiresAt,
    refusal: recallRefusal(db, keyId),
    reserve: limits.reserve,
    warehouse: { path, walBytes: walBytes(path), ...diskOf(dirname(path)) },
    media: config.media.recordings ? countMedia(db, wantedBy(config)) : undefined,
    leastFree: alerts.diskFree,
    comparing: daemon.kind === 'none' ? undefined : reconcile.budgetShare,
    ...(about === undefined ? lastMet(db, keyId) : haltedNow(about)),
  };
}

/** What keeps a running daemon from reading. */
function haltedNow({ keyRefused, outage }: About): Pick<Snapshot, 'keyRefused' | 'outage'> {
  return { keyRefused, outage: outage && { hint: undefined, ...outage } };
}

/** What the last sync met, where no daemon says how it is now. */
function lastMet(db: Db, keyId: string | undefined): Pick<Snapshot, 'keyRefused' | 'outage'> {
  const met = recallOutage(db, keyId);
  if (met === undefined) return {};
  const { since, code, text, hint } = met;
  return { keyRefused: code === 'KEY_REFUSED' ? text : undefined, outage: { since, code, text, hint, isOfSync: true } };
}

function text(found: Found, flags: StatusFlags): string {
  const { config, snapshot, streams, issues, usage } = found;
  const { now, list: listIssues } = snapshot;
  return [
    `${headOf(streams, { isListWhole: listIssues.length === 0, isHalted: isHaltedBy(issues) })}\n`,
    `${proofText(streamsIn(snapshot), now)}\n\n`,
    `${tableOf(found, flags)}\n\n`,
    issuesText(issues),
    daemonText(found),
    usage === undefined ? '' : usageText(usage),
    snapshot.media === undefined ? '' : mediaLines(snapshot.media),
    lateText(streams, config.lookbackMs),
    renamedText(found.renamed),
    departedText(found.departed),
    `${config.warehouse.path}\n`,
  ].join('');
}

function tableOf({ snapshot, names }: Found, { streams = false, problems = false }: StatusFlags): string {
  const { now } = snapshot;
  const configured = streamsIn(snapshot);
  const lacking = configured.filter(({ standing }) => standing !== 'complete');
  if (problems) return lacking.length === 0 ? 'Every stream is complete.' : streamTable(lacking, now);
  return streams ? streamTable(configured, now) : experimentTable(configured, { now, names });
}

const SIGNS: Record<Severity, string> = { error: '✗', warning: '!', note: '·' };
/** How many issues are shown, and how many streams of each; `--json` has them all. */
const MOST_ISSUES = 20;
const MOST_NAMED = 8;

/** Each cause once, with what it affects and what to do about it. */
function issuesText(issues: readonly Issue[]): string {
  const shown = issues.slice(0, MOST_ISSUES).map((issue) => {
    const lines = [issue.text, affectedText(issue, MOST_NAMED), issue.hint].filter((line) => line !== '');
    const title = `${SIGNS[issue.severity]} ${titleOf(issue)}`;
    return [title, ...lines.map((line) => `  ${line}`)].map((line) => `${cleanLine(line)}\n`).join('');
  });
  const more = issues.length - shown.length;
  const rest = more > 0 ? `· and ${count(more)} more; \`hsw status --json\` has them all\n` : '';
  return shown.length === 0 ? '' : `${shown.join('')}${rest}\n`;
}

function daemonText({ daemon, snapshot: { now } }: Found): string {
  if (daemon.kind === 'none')
    return 'No daemon is running: `hsw daemon` keeps the warehouse fresh; `hsw sync now` reads what is new once.\n';
  if (daemon.kind === 'foreign')
    return 'The warehouse has a daemon of another user, or had one that was killed: only that user can query it.\n';
  const { about } = daemon;
  if (about === undefined) return 'A daemon is running but did not answer: it is busy, or has another version.\n';
  const since = `A daemon has kept it fresh since ${formatMinute(about.startedAt)} (${formatDuration(Math.max(0, now - about.startedAt))}).`;
  return `${since}${about.http === null ? '' : ` Its dashboard: ${about.http}`}\n`;
}

function usageText({ hour, others }: Usage): string {
  const theirs = others === 0 ? '' : ` ${count(others)} more count as used by other programs.`;
  return `Requests in the last hour: ${count(hour.used - others)} of ${count(hour.allowed)}.${theirs}\n`;
}
