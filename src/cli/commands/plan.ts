import { existsSync } from 'node:fs';
import { allowed } from '../../budget/limits.ts';
import type { Config } from '../../config/schema.ts';
import { streamText } from '../../datasets/stream.ts';
import { estimate, type Cost } from '../../schedule/cost.ts';
import type { Selection } from '../../schedule/streams.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/time.ts';
import { knownPageSize } from '../../read/page-size.ts';
import { listRequests } from '../../sync/experiment-list.ts';
import { configuredExperiments } from '../../sync/roster.ts';
import { knownStreams } from '../../sync/run.ts';
import { shareRequests } from '../../sync/shares.ts';
import { openEmpty } from '../../warehouse/migrate.ts';
import { readPosition } from '../../warehouse/positions.ts';
import type { Db } from '../../warehouse/open.ts';
import { knownExperiments } from '../../warehouse/structure.ts';
import { openBudget } from '../../runtime/budget.ts';
import { openReader } from '../../runtime/reader.ts';
import { readConfig, type Command, type Describe, type CommandContext } from '../context.ts';
import { count, counted } from '../../shared/count.ts';
import { idsOf, suggestion } from '../experiment-names.ts';
import { table } from '../output.ts';
import { readSelection, selectable, type SelectionFlags } from '../selection.ts';
import { withNames } from '../source.ts';

interface PlanFlags extends SelectionFlags {
  readonly full?: boolean;
}

export const describe: Describe = (program, run) => {
  selectable(program)
    .option('--full', 'plan for reading everything again')
    .addHelpText('after', '\nExamples:\n  hsw plan\n  hsw plan --full --data eyetracking')
    .action((flags: PlanFlags) => run(plan, flags));
};

/** `hsw plan`: what a sync would read, how many requests it needs and how long it takes. */
const plan: Command<PlanFlags> = (context, flags) => {
  const selection = readSelection(flags);
  return Promise.resolve(showPlan(context, readConfig(context, true), selection, flags.full === true));
};

/** Shows what a sync would cost, from the warehouse as it is; a missing one counts as empty and is not created. */
export function showPlan(context: CommandContext, config: Config, selection: Selection, full: boolean): number {
  const db = existsSync(config.warehouse.path) ? openReader(config) : openEmpty();
  try {
    const known = configuredExperiments(db, config).experiments;
    const named = known.map(({ id }) => id);
    const ids = selection.experiments === undefined ? named : chosen(db, named, selection.experiments);
    const experiments = known.filter(({ id }) => ids.includes(id));
    const streams = knownStreams({ config, warehouse: { db }, selection, full }, experiments);
    const costs = streams.map((stream) => ({
      stream,
      position: readPosition(db, stream),
      full,
      pageSize: config.api.pageSize === 'auto' ? knownPageSize(db, stream, systemClock.now()) : config.api.pageSize,
    }));
    const { hour, ages } = openBudget(config, db, systemClock).usage();
    const { concurrency, limits } = config.api;
    const { perEndpointPerMinute, reserve } = limits;
    const perMinute = allowed(perEndpointPerMinute, reserve);
    const isOpen = config.experiments.some((experiment) => 'all' in experiment);
    const cost = estimate(
      costs,
      { perHour: hour.allowed, perEndpointPerMinute: perMinute, concurrency, ages },
      isOpen
        ? listRequests(knownExperiments(db).length) + shareRequests(db, config.api.organization, systemClock.now())
        : 0,
    );
    context.stdout.write(context.json ? `${JSON.stringify(inJson(cost), null, 2)}\n` : planText(cost, hour, isOpen));
    return EXIT.ok;
  } finally {
    db.close();
  }
}

/**
 * The experiments that were asked for by id or name.
 * @throws WarehouseError USAGE: without a request, none can be planned of which neither the configuration nor the
 * warehouse knows.
 */
function chosen(db: Db, all: readonly string[], asked: readonly string[]): readonly string[] {
  const known = withNames(db, all);
  const { ids, unknown } = idsOf(asked, known);
  if (unknown.length === 0) return ids;
  throw new WarehouseError(
    'USAGE',
    `Neither the configuration nor the warehouse has the experiment ${unknown.join(', ')}.`,
    {
      hint:
        known.length === 0
          ? 'The warehouse knows no experiment yet: run `hsw sync now` first.'
          : `${suggestion(unknown, known, 'Known are')} One that is new is known after the next sync.`,
    },
  );
}

function inJson({ streams, ...cost }: Cost) {
  return {
    ...cost,
    streams: streams.map(({ stream, ...rest }) => ({ stream: streamText(stream), ...rest })),
  };
}

const UNKNOWN =
  'The configuration names all experiments, and the warehouse knows none yet: the first request lists them, and their cost is known after the first sync.';
const NEW_ONES =
  'The configuration names all experiments; those that the warehouse does not know yet are not in this list.';

function planText(
  { streams, requests, doneInMs, firstReads }: Cost,
  hour: { used: number; allowed: number },
  isOpen: boolean,
): string {
  const rows = streams.map(({ stream, requests: expected, why, doneInMs: done }) => [
    streamText(stream),
    why,
    expected,
    `in ${formatDuration(done)}`,
  ]);
  const notes = [
    `At least ${counted(requests, 'request')}, done in about ${formatDuration(doneInMs)} under the limits (${count(hour.used)} of ${count(hour.allowed)} requests of this hour are used).`,
    ...(firstReads > 0
      ? [
          `${firstReads === 1 ? '1 stream is' : `${count(firstReads)} streams are`} read for the first time: every page takes a request, and rooms and deployments that are found add streams of their own.`,
        ]
      : []),
    ...(isOpen ? [streams.length === 0 ? UNKNOWN : NEW_ONES] : []),
    'No request was sent and nothing was written.',
  ];
  return `${streams.length === 0 ? '' : `${table(['stream', 'read', 'requests', 'done'], rows)}\n\n`}${notes.join('\n')}\n`;
}
