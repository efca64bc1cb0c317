import { z } from 'zod';
import type { JsonObject } from '../../src/shared/json.ts';
import { asPublished, idOf, listing, madeUp, readAnswer, type Account } from './published.ts';

const Scoped = z.object({ metadata: z.object({ scopeId: z.string() }) });

/**
 * Accounts that together give every published answer at the path it was published for. Several answers are of one path,
 * so each such one has an account of its own. Beside them: what a mirror needs to get there (the names of experiments
 * and rooms), made up from what the answers themselves name.
 */
export function accountsOf(folder: string) {
  const answer = (name: string) => readAnswer(folder, `${name}.json`);
  const scopeOf = (name: string) => Scoped.parse(answer(name).body).metadata.scopeId;
  const experiments = answer('experiments_list_response');
  const single = answer('experiment_single_response');
  const [first = {}] = single.records;
  const runs = answer('agent_runs_response');
  const detailed = answer('agent_decision_detail_response');
  const pages = [answer('paginated_page1'), answer('paginated_page2')];
  const ids = {
    study: scopeOf('experiment_single_response'),
    batch: scopeOf('deployment_sessions_response'),
    modelled: scopeOf('agent_runs_response'),
    room: scopeOf('agent_decisions_response'),
    decision: idOf(detailed.records[0]),
  };
  const others = experiments.records.filter(({ id }) => id !== ids.study);
  const rooms = [...new Set(runs.records.map((run) => idOf(run, 'roomId')))];
  const decisions = answer('agent_decisions_response');
  const inDetail = decisions.records.map((row) => ({
    ...row,
    ...detailed.records.find(({ id }) => id === row['id']),
  }));

  const study = at({
    '/experiments': (query) => listing([experiments], query),
    [`/experiments/${ids.study}`]: () => asPublished(single),
    ...Object.fromEntries(others.map((other) => [`/experiments/${idOf(other)}`, () => madeUp(other)])),
    [`/data/events/experiment/${ids.study}`]: (query) => listing([answer('events_response')], query),
    [`/data/recordings/experiment/${ids.study}`]: (query) => listing([answer('recordings_response')], query),
    [`/data/ratings/sparse/experiment/${ids.study}`]: (query) => listing([answer('sparse_ratings_response')], query),
    '/deployments': (query) =>
      [null, ids.study].includes(query.get('experimentId'))
        ? asPublished(answer('deployments_list_response'))
        : madeUp([]),
    [`/deployments/${ids.batch}/sessions`]: () => asPublished(answer('deployment_sessions_response')),
    [`/deployments/${ids.batch}`]: () => asPublished(answer('deployment_single_response')),
  });
  const agents = at({
    ...known({ id: ids.modelled }),
    [`/data/rooms/experiment/${ids.modelled}`]: () => madeUp(rooms.map((id) => ({ id }))),
    [`/data/agent-runs/experiment/${ids.modelled}`]: () => asPublished(runs),
    [`/data/agent-decisions/experiment/${ids.modelled}`]: () =>
      asPublished(answer('agent_decisions_truncated_response')),
    [`/data/agent-decisions/room/${ids.room}`]: (query) =>
      query.get('detail') === 'true'
        ? { status: 200, body: { ...decisions.body, data: inDetail }, files: [decisions.file, detailed.file] }
        : asPublished(decisions),
    [`/data/agent-decisions/room/${ids.room}/decision/${ids.decision}`]: () => asPublished(detailed),
  });
  const withEvents = (events: Answering) => at({ ...known(first), [`/data/events/experiment/${ids.study}`]: events });
  const accounts: Record<string, Account> = {
    study,
    before: withEvents((query) => listing([answer('pre_experiment_response')], query)),
    pages: withEvents((query) => listing(pages, query)),
    agents,
    warned: withEvents(() => asPublished(answer('warnings_response'))),
    forbidden: withEvents(() => asPublished(answer('error_403'), 403)),
    refused: () => asPublished(answer('error_401'), 401),
  };

  /** What the tables of each account must hold. */
  const tables: Record<string, Record<string, readonly JsonObject[]>> = {
    study: {
      experiments: [...single.records, ...others],
      events: answer('events_response').records,
      recordings: answer('recordings_response').records,
      'ratings/sparse': answer('sparse_ratings_response').records,
      deployments: answer('deployments_list_response').records,
      'deployment-sessions': answer('deployment_sessions_response').records,
    },
    before: { events: answer('pre_experiment_response').records },
    pages: { events: pages.flatMap((page) => page.records) },
    agents: {
      // The run in a room's answer is a row of the agents' runs.
      'agent-decisions': inDetail.filter((row) => row['_type'] === 'decision'),
      'agent-runs': runs.records,
    },
  };
  return { ids, accounts, tables, bodyOf: (name: string) => answer(name).body };
}

type Answering = (query: URLSearchParams) => ReturnType<Account>;

const at =
  (paths: Readonly<Record<string, Answering>>): Account =>
  (path, query) =>
    Object.hasOwn(paths, path) ? paths[path]?.(query) : undefined;

/** An account's only experiment. */
const known = (experiment: JsonObject): Record<string, Answering> => ({
  '/experiments': () => madeUp([experiment]),
  [`/experiments/${idOf(experiment)}`]: () => madeUp(experiment),
});
