import type { Notice } from '../status/view.ts';

/** What went wrong lately, each text once. */
export interface Notices {
  note(notice: Notice): void;
  recent(): readonly Notice[];
}

const MOST = 50;

export function createNotices(): Notices {
  let list: readonly Notice[] = [];
  return {
    note(notice) {
      const others = list.filter(({ code, text }) => code !== notice.code || text !== notice.text);
      list = [notice, ...others].slice(0, MOST);
    },
    recent: () => list,
  };
}
