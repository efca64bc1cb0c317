import { z } from 'zod';
import { count, counted } from '../shared/count.ts';
import { queryValues } from '../shared/sqlite.ts';
import type { Db } from './open.ts';

/** Those that a text names. */
const NAMED = 5;

/** Participants whom HyperStudy no longer lists, and of whom earlier versions of rows are kept: some may have withdrawn. */
export function departedPeople(db: Db): string[] {
  const sql = `SELECT DISTINCT record ->> 'id' AS id FROM _history
    WHERE table_name = 'participants' AND what = 'deleted' AND id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM participants p WHERE p.id = record ->> 'id') ORDER BY 1`;
  return queryValues(db, sql, z.string()).all();
}

/** What `hsw status` says of them; empty if there are none. */
export function departedText(people: readonly string[]): string {
  if (people.length === 0) return '';
  const named = people.slice(0, NAMED).join(', ');
  const more = people.length > NAMED ? ` and ${count(people.length - NAMED)} more` : '';
  const are = people.length === 1 ? 'is' : 'are';
  return `${counted(people.length, 'participant')} ${are} no longer listed by HyperStudy, and their earlier records are kept in _history: ${named}${more}. If they withdrew, run: hsw erase --participant ID\n`;
}
