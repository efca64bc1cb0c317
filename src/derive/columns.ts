import { MIXED_TYPES, PART_MISSING } from '../datasets/mixed.ts';
import type { PrivacyClass } from '../datasets/privacy.ts';

/** A column of a derived table, or of one about the file itself. */
export interface ExplainedColumn {
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  readonly about: string;
  /** What it reveals about a person. */
  readonly privacy: PrivacyClass;
  /** What it means that there is no value; `NEVER` where there always is one. */
  readonly missing: string;
  readonly unit?: string;
  readonly isBoolean?: true;
  /** The values that it may have, each with what it means. */
  readonly values?: Readonly<Record<string, string>>;
  /** The values that it may have, where they say themselves what they mean. */
  readonly allowed?: readonly string[];
  /** Its values are codes, or names of the design: a codebook lists them. Other texts are only counted. */
  readonly isCode?: true;
}

/** What is said of a column that always has a value. */
export const NEVER = 'never missing';

export type Columns = Readonly<Record<string, ExplainedColumn>>;

/** A table or view, as it is explained to readers. */
export interface Explained {
  readonly name: string;
  readonly about: string;
  /** What one row is. */
  readonly row: string;
  readonly columns: Columns;
}

type Same = Pick<ExplainedColumn, 'type' | 'unit' | 'isBoolean' | 'isCode'>;
type Said = Omit<ExplainedColumn, 'type' | 'about' | 'missing'> & Partial<Pick<ExplainedColumn, 'missing'>>;

/** Makes what declares columns of one kind. A column always has a value where `missing` does not say otherwise. */
function kind(same: Same) {
  return (about: string, said: Said): ExplainedColumn => ({ missing: NEVER, ...same, about, ...said });
}

/** The same for a kind that reveals nothing about a person, where `privacy` does not say otherwise. */
function impersonal(same: Same) {
  return (about: string, said: Partial<Said> = {}) => kind(same)(about, { privacy: 'none', ...said });
}

export const text = kind({ type: 'TEXT' });
export const json = kind({ type: 'TEXT', unit: 'JSON' });
/** An instant, as a text and as a number. */
export const time = kind({ type: 'TEXT', unit: 'ISO 8601, UTC' });
export const unixTime = kind({ type: 'REAL', unit: 's since 1970, UTC' });
export const real = kind({ type: 'REAL' });
export const integer = kind({ type: 'INTEGER' });
/** A code or a name of the design, not a text that a person wrote. */
export const code = impersonal({ type: 'TEXT', isCode: true });
export const flag = impersonal({ type: 'INTEGER', isBoolean: true });
export const count = impersonal({ type: 'INTEGER', unit: 'count' });
/** A place in an order. */
export const rank = impersonal({ type: 'INTEGER', unit: 'rank' });

/** The columns that say whose a row is; the same names in every table. */
export const WHOSE = {
  experiment_id: text('The experiment.', { privacy: 'none' }),
  room_id: text('The room (session).', { privacy: 'indirect', missing: 'It was before a room was assigned.' }),
  participant_id: text('The participant; ids are unique within a room only.', {
    privacy: 'direct',
    missing: 'It concerns no single participant.',
  }),
} as const satisfies Columns;

/** The columns of a value that may be a number, a text or something else. */
export const VALUE = {
  value_type: code('What the value is.', { missing: PART_MISSING.type, allowed: MIXED_TYPES }),
  value_number: real('The value as a number; a boolean as 0 or 1.', {
    privacy: 'indirect',
    unit: 'as recorded',
    missing: PART_MISSING.number,
  }),
  value_text: text('The value, if it is a text.', { privacy: 'free text', missing: PART_MISSING.text }),
  value_json: json('The value as JSON, if it is a list or an object, or more than the other columns hold exactly.', {
    privacy: 'free text',
    missing: 'There is no value, or the other columns hold it.',
  }),
} as const satisfies Columns;
