import { counted } from '../shared/count.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import { changeText, type SchemaChange } from '../warehouse/schema-changes.ts';
import type { AffectedStream, Issue } from './issue.ts';
import type { Snapshot } from './snapshot.ts';

/** For so long it is reported, so that a weekly look does not miss it; the table keeps it. */
export const SCHEMA_NEWS_MS = 8 * DAY_MS;

/** New fields and types of the last days, as news: once for each data type. */
export function schemaIssues({ now, schemaChanges }: Pick<Snapshot, 'now' | 'schemaChanges'>): Issue[] {
  const recent = schemaChanges.filter(({ seenAt }) => now - seenAt < SCHEMA_NEWS_MS);
  return [...Map.groupBy(recent, ({ data }) => data)].map(([data, changes]) => ({
    id: `schema:${data}`,
    code: 'SCHEMA_CHANGED',
    severity: 'note',
    since: Math.min(...changes.map(({ seenAt }) => seenAt)),
    scope: { streams: changes.map(affected), are: 'changes' },
    subject: `Records of ${data} have new fields or types`,
    text: `HyperStudy has sent them since ${dayOf(changes)}. Nothing is lost: what has no column of its own is in \`extra\`, and a column of the view whose name ends in \`_all\`.`,
    hint: 'Check whether your analyses are affected; `_schema_changes` has the details. This note stays for 8 days.',
    ended: '',
    alert: 'once',
  }));
}

function affected(change: SchemaChange): AffectedStream {
  const { id, data, experimentId, records, since, seenAt } = change;
  return {
    id: `schema:${data}:${id}`,
    name: `${changeText(change)} in ${counted(records, 'record')} since ${day(since ?? seenAt)}, first in ${experimentId}`,
    since: seenAt,
  };
}

/** The earliest day by the server or, where records have no time, the one on which they were read. */
function dayOf(changes: readonly SchemaChange[]): string {
  return day(Math.min(...changes.map(({ since, seenAt }) => since ?? seenAt)));
}

function day(ms: number): string {
  return formatTime(ms).slice(0, 10);
}
