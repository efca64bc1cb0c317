import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { PlannedExperiment, Selection } from '../schedule/streams.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Priority } from '../shared/priority.ts';
import { goneExperiments } from '../warehouse/enrolment.ts';
import type { Db } from '../warehouse/open.ts';
import { sharedDeployments } from '../warehouse/shares.ts';
import { knownExperiments } from '../warehouse/structure.ts';
import { goneIssue, NO_EXPERIMENTS, type ListIssue } from '../warehouse/experiment-list.ts';
import { listWithShares, SHARES_EVERY_MS } from './shares.ts';

/** What is needed to find the configured experiments. */
export interface Finding {
  readonly client: Client;
  readonly config: Pick<Config, 'experiments'>;
  readonly warehouse: { readonly db: Db };
  readonly selection: Selection;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: Priority | undefined;
}

/** The configured experiments as the API shows them now. */
export interface Survey {
  /** Those to read, according to the selection. */
  readonly selected: readonly PlannedExperiment[];
  /** All that are configured and not gone. */
  readonly configured: readonly PlannedExperiment[];
  /** Those that the warehouse knows and that two listings in a row no longer contain. */
  readonly gone: readonly string[];
  readonly issues: readonly ListIssue[];
}

/**
 * Looks for the configured experiments: those that are named and, where the configuration says `all`, every one that
 * the key sees: its own, and what is shared with it. One that the warehouse has met and the list does not name is gone
 * if a second listing agrees; while the list is not whole, it is read as before.
 * @throws WarehouseError USAGE when an experiment is selected that is not configured.
 */
export async function surveyExperiments(finding: Finding): Promise<Survey> {
  const { config, selection } = finding;
  const named = new Map<string, PlannedExperiment>();
  for (const experiment of config.experiments) if ('id' in experiment) named.set(experiment.id, experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  const { ids, gone, issues } = all === undefined ? NO_LIST : await surveyList(finding, new Set(named.keys()));
  const others = ids.filter((id) => !named.has(id)).map((id) => unnamed(finding.warehouse.db, id, all?.data));
  const configured = [...named.values(), ...others];
  const wanted = selection.experiments;
  if (wanted === undefined) return { selected: configured, configured, gone, issues };
  const known = new Set([...configured.map(({ id }) => id), ...gone]);
  const unknown = wanted.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The configuration does not name the experiment ${unknown.join(', ')}.`, {
      hint: `It names: ${[...known].join(', ')}.`,
    });
  }
  return {
    selected: configured.filter(({ id }) => wanted.includes(id)),
    configured,
    gone,
    issues: issues.filter(({ experiment }) => experiment !== undefined && wanted.includes(experiment)),
  };
}

/** The experiments of a survey, those that are gone included. */
export function withGone(
  finding: Pick<Finding, 'config' | 'selection' | 'warehouse'>,
  { selected, gone }: Survey,
): PlannedExperiment[] {
  const all = finding.config.experiments.find((experiment) => 'all' in experiment);
  const wanted = (id: string) => finding.selection.experiments?.includes(id) ?? true;
  return [...selected, ...gone.filter(wanted).map((id) => unnamed(finding.warehouse.db, id, all?.data))];
}

/** An experiment that the configuration does not name: all of it, or the deployments of it that are shared. */
export function unnamed(db: Db, id: string, data: PlannedExperiment['data']): PlannedExperiment {
  const deployments = sharedDeployments(db, id);
  return deployments === undefined ? { id, data } : { id, data, deployments, isPartlyShared: true };
}

interface ListSurvey extends Pick<Survey, 'gone' | 'issues'> {
  readonly ids: readonly string[];
}

const NO_LIST: ListSurvey = { ids: [], gone: [], issues: [] };

async function surveyList(
  { client, warehouse: { db }, clock, selection, signal, priority }: Finding,
  named: ReadonlySet<string>,
): Promise<ListSurvey> {
  const goneBefore = new Set(goneExperiments(db));
  const met = knownExperiments(db).filter((id) => !named.has(id));
  const list = (everyMs: number) => listWithShares({ client, db, clock, everyMs, signal, priority });
  const first = await list(SHARES_EVERY_MS);
  let { listed, isWhole, doubt, isUnrequested } = first;
  const left = () => met.filter((id) => !listed.some((experiment) => experiment.id === id));
  const missed = () => left().filter((id) => !isUnrequested(id));
  if (isWhole && missed().some((id) => !goneBefore.has(id))) {
    // One short list is only evidence: a second one has to agree.
    const again = await list(0);
    listed = [...listed, ...again.listed];
    ({ isWhole, doubt } = again);
    isUnrequested = (id) => first.isUnrequested(id) || again.isUnrequested(id);
  }
  const gone = left().filter((id) => (isWhole && !isUnrequested(id)) || goneBefore.has(id));
  const unlisted = [...left().filter((id) => !gone.includes(id)), ...(isWhole ? [] : (selection.experiments ?? []))];
  const ids = [...new Set([...listed.map(({ id }) => id), ...unlisted])].filter((id) => !gone.includes(id));
  return {
    ids,
    gone,
    issues: [
      ...(isWhole && ids.length === 0 ? [NO_EXPERIMENTS] : []),
      ...(isWhole ? [] : [listIssue(doubt)]),
      ...gone.map(goneIssue),
    ],
  };
}

function listIssue(doubt: string | undefined): ListIssue {
  return {
    code: 'LIST_INCOMPLETE',
    message: `The list of experiments may lack some: ${(doubt ?? 'the API does not say why').replace(/\.$/, '')}.`,
    hint: 'The next sync requests it again. An experiment can also be named in the config: experiments: [{ id: … }].',
  };
}
