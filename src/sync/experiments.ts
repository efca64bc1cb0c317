import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { PlannedExperiment, Selection } from '../schedule/streams.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';
import { goneExperiments } from '../warehouse/enrolment.ts';
import type { Db } from '../warehouse/open.ts';
import { knownExperiments } from '../warehouse/structure.ts';
import { goneIssue, NO_EXPERIMENTS, type ListIssue } from '../warehouse/experiment-list.ts';

/** What finding the configured experiments takes. */
export interface Finding {
  readonly client: Client;
  readonly config: Pick<Config, 'experiments'>;
  readonly warehouse: { readonly db: Db };
  readonly selection: Selection;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: Priority | undefined;
}

/** The configured experiments as the API shows them now. */
export interface Survey {
  /** Those that are to be read, as the selection narrows them. */
  readonly selected: readonly PlannedExperiment[];
  /** All that are configured and not gone. */
  readonly configured: readonly PlannedExperiment[];
  /** Those that the warehouse has met and that two listings in a row do not name any more. */
  readonly gone: readonly string[];
  readonly issues: readonly ListIssue[];
}

/**
 * Looks for the configured experiments: those that are named and, where the configuration says `all`, every one that the
 * key sees. One that the warehouse has met and the list does not name is gone if a second listing agrees; while the list
 * is not whole, it is read as before.
 * @throws WarehouseError USAGE when an experiment is selected that is not configured.
 */
export async function surveyExperiments(finding: Finding): Promise<Survey> {
  const { config, selection } = finding;
  const named = new Map<string, PlannedExperiment>();
  for (const experiment of config.experiments) if ('id' in experiment) named.set(experiment.id, experiment);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  const { ids, gone, issues } = all === undefined ? NO_LIST : await surveyList(finding, new Set(named.keys()));
  const others = ids.filter((id) => !named.has(id)).map((id): PlannedExperiment => ({ id, data: all?.data }));
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
  finding: Pick<Finding, 'config' | 'selection'>,
  { selected, gone }: Survey,
): PlannedExperiment[] {
  const all = finding.config.experiments.find((experiment) => 'all' in experiment);
  const wanted = (id: string) => finding.selection.experiments?.includes(id) ?? true;
  return [...selected, ...gone.filter(wanted).map((id) => ({ id, data: all?.data }))];
}

interface ListSurvey extends Pick<Survey, 'gone' | 'issues'> {
  readonly ids: readonly string[];
}

const NO_LIST: ListSurvey = { ids: [], gone: [], issues: [] };

async function surveyList(
  { client, warehouse: { db }, selection, signal, priority }: Finding,
  named: ReadonlySet<string>,
): Promise<ListSurvey> {
  const goneBefore = new Set(goneExperiments(db));
  const met = knownExperiments(db).filter((id) => !named.has(id));
  let { listed, isWhole, doubt } = await listExperiments(client, signal, priority);
  const left = () => met.filter((id) => !listed.some((experiment) => experiment.id === id));
  if (isWhole && left().some((id) => !goneBefore.has(id))) {
    // A list that is short is evidence only: a second one has to agree.
    const again = await listExperiments(client, signal, priority);
    listed = [...listed, ...again.listed];
    ({ isWhole, doubt } = again);
  }
  const gone = left().filter((id) => isWhole || goneBefore.has(id));
  const unlisted = isWhole ? [] : [...left().filter((id) => !gone.includes(id)), ...(selection.experiments ?? [])];
  const ids = [...new Set([...listed.map(({ id }) => id), ...unlisted])].filter((id) => !gone.includes(id));
  return {
    ids,
    gone,
    issues: [
      ...(isWhole && listed.length === 0 ? [NO_EXPERIMENTS] : []),
      ...(isWhole ? [] : [listIssue(doubt)]),
      ...gone.map(goneIssue),
    ],
  };
}

function listIssue(doubt: string | undefined): ListIssue {
  return {
    code: 'LIST_INCOMPLETE',
    message: `The list of experiments may lack some: ${(doubt ?? 'the API does not say why').replace(/\.$/, '')}.`,
    hint: 'The next sync asks again. An experiment can also be named in the config: experiments: [{ id: … }].',
  };
}

/** The documented page size of `GET /experiments` (HyperStudy API overview). */
const EXPERIMENTS_PAGE = 50;

/** Lists so short are not taken for a page of a longer one. */
const SHORTEST_PAGE = 20;

/** Requests that a list of so many experiments takes: a full page does not show that it is the last. */
export function listRequests(experiments: number): number {
  return (
    Math.floor(experiments / EXPERIMENTS_PAGE) +
    (experiments >= SHORTEST_PAGE && experiments < EXPERIMENTS_PAGE ? 2 : 1)
  );
}

/** The experiments that `GET /experiments` gives. */
export interface Listing {
  readonly listed: readonly (JsonObject & { id: string })[];
  /** Whether nothing speaks against these being all. */
  readonly isWhole: boolean;
  /** What does, as a clause. */
  readonly doubt: string | undefined;
}

/**
 * Every experiment that the key sees, as `GET /experiments` describes it. Asks for another page until one brings nothing
 * new, unless the last was shorter than a page and neither `hasMore` nor `total` contradicts that it was the last.
 */
export async function listExperiments(client: Client, signal?: AbortSignal, priority?: Priority): Promise<Listing> {
  const found = new Map<string, JsonObject & { id: string }>();
  let doubt: string | undefined;
  let [offset, total, nameless] = [0, 0, 0];
  for (;;) {
    const answer = await client.get({
      path: '/experiments',
      query: { limit: EXPERIMENTS_PAGE, offset },
      endpoint: 'experiments',
      what: 'the list of experiments',
      ...(priority === undefined ? {} : { priority }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { data, pagination } = answer;
    if (answer.warnings.length > 0 || answer.truncated)
      doubt = answer.warnings.length > 0 ? `the API warns: ${answer.warnings.join('; ')}` : 'the API cut it short';
    const before = found.size + nameless;
    for (const record of data) {
      if (isObject(record) && typeof record['id'] === 'string')
        found.set(record['id'], { ...record, id: record['id'] });
      else nameless++;
    }
    offset += data.length;
    total = Math.max(total, pagination?.total ?? 0);
    const isShown = found.size + nameless;
    // A page may be shorter than documented, and its total no more than its length.
    const mayBeCut = offset === data.length && data.length >= SHORTEST_PAGE;
    const mayHaveMore = mayBeCut || data.length >= EXPERIMENTS_PAGE || pagination?.hasMore === true || total > isShown;
    if (mayHaveMore && data.length > 0 && isShown > before) continue;
    if (pagination?.hasMore === true) doubt ??= 'the API says that there are more, and sends none';
    if (total > isShown) doubt ??= `the API counts ${total}, ${isShown} could be listed`;
    return { listed: [...found.values()], isWhole: doubt === undefined, doubt };
  }
}
