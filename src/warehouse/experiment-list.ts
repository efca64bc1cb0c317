import { z } from 'zod';
import type { Code } from '../shared/errors.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

/**
 * The codes of what is wrong with the list of experiments: an experiment left it · it is empty · it may be incomplete.
 */
const LIST_CODES = ['EXPERIMENT_GONE', 'NO_EXPERIMENTS', 'LIST_INCOMPLETE'] as const satisfies readonly Code[];

/** What is wrong with the list of experiments, or with all of an experiment, as a sync reports it. */
export interface ListIssue {
  readonly code: (typeof LIST_CODES)[number];
  readonly experiment?: string;
  readonly message: string;
  readonly hint: string;
}

const LIST_NOTE = 'experiments-list';

/** Stores what is wrong with the list of experiments, so that it can be reported later too. */
export function rememberList(db: Db, issues: readonly ListIssue[], now: number): void {
  const ofList = issues.filter(({ experiment }) => experiment === undefined);
  const text = JSON.stringify(ofList);
  if ((recall(db, LIST_NOTE) ?? '[]') !== text) remember(db, LIST_NOTE, text, now);
}

/** What was last wrong with the list of experiments; nothing if the configuration names all experiments. */
export function recallList(db: Db, config: { readonly experiments: readonly object[] }): readonly ListIssue[] {
  if (!config.experiments.some((experiment) => 'all' in experiment)) return [];
  return ListIssues.parse(JSON.parse(recall(db, LIST_NOTE) ?? '[]'));
}

const ListIssues = z.array(
  z.object({
    code: z.enum(LIST_CODES),
    message: z.string(),
    hint: z.string(),
  }),
);

/** The issue that the key can see no experiment at all. */
export const NO_EXPERIMENTS: ListIssue = {
  code: 'NO_EXPERIMENTS',
  message: 'The key cannot see any experiment: its list of experiments is empty.',
  hint: 'Check in HyperStudy that the key belongs to the right account and organization, and that the experiments are shared with it. An experiment of another organization can be named in the config: experiments: [{ id: … }].',
};

export function goneIssue(experiment: string): ListIssue {
  return {
    code: 'EXPERIMENT_GONE',
    experiment,
    message: `${goneText(experiment)}. Its rows are kept.`,
    hint: 'If it was not deleted, ask its owner to share it again. It is read again as soon as it is back in the list.',
  };
}

/** The issue of an experiment that has left the list. */
export function goneText(experimentId: string): string {
  return `${experimentId} is no longer in the list of experiments that the key can see: deleted, or no longer shared`;
}
