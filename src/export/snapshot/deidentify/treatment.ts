import { DATASETS } from '../../../datasets/registry.ts';
import type { PrivacyClass } from '../../../datasets/privacy.ts';
import { TIME, type Column } from '../tables.ts';

/** What becomes of a column: it stays · its ids become pseudonyms · its times become onsets · it is left out. */
export type Treatment = 'kept' | 'pseudonyms' | 'onsets' | 'dropped';

/** The columns with ids of people, and those of a table by which others name its rows. */
const PEOPLE = new Map(
  DATASETS.map(({ table, columns }) => [
    table,
    columns
      .filter(({ spec, type }) => spec.isPerson === true && type === 'TEXT' && spec.kind === 'text')
      .map(({ name }) => name),
  ]),
);

/** When a row was read here says nothing that a reader of a copy needs, and may say when someone took part. */
const OF_READING = ['first_seen_at', 'synced_at', 'synced_run'];

/** The form of a time as a number. */
const UNIX = 's since 1970, UTC';

/**
 * What becomes of a column. What the dictionary does not know is left out, and so is whatever is not certainly harmless.
 * @param place what else is known of it.
 */
export function treatmentOf(
  table: string,
  column: Pick<Column, 'name' | 'type' | 'unit'>,
  privacy: PrivacyClass,
  place: { readonly withFreeText: boolean; readonly hasRoom: boolean; readonly hasOnset: boolean },
): Treatment {
  const { name, type, unit } = column;
  if (privacy === 'unknown' || OF_READING.includes(name)) return 'dropped';
  if (name === 'key' || name === 'participant_id' || PEOPLE.get(table)?.includes(name) === true) return 'pseudonyms';
  if (privacy === 'direct') return 'dropped';
  if (privacy === 'free text') return place.withFreeText ? 'kept' : 'dropped';
  if (privacy === 'none') return 'kept';
  if (unit === TIME) return place.hasRoom && !(name === 'timestamp' && place.hasOnset) ? 'onsets' : 'dropped';
  if (unit === UNIX || unit === 'JSON') return 'dropped';
  // The number of a field that may be a time is one.
  if (/time|_at_/.test(name)) return 'dropped';
  if (type !== 'TEXT' || name === 'question_id') return 'kept';
  return name === 'id' || name.endsWith('_id') ? 'pseudonyms' : 'dropped';
}
