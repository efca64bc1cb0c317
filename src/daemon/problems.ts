import type { Notice } from '../status/view.ts';

export type Problem = Notice;

/** Recent problems, each text once. */
export interface Problems {
  note(problem: Problem): void;
  recent(): readonly Problem[];
}

const MOST = 50;

export function createProblems(): Problems {
  let list: readonly Problem[] = [];
  return {
    note(problem) {
      const others = list.filter(({ code, text }) => code !== problem.code || text !== problem.text);
      list = [problem, ...others].slice(0, MOST);
    },
    recent: () => list,
  };
}
