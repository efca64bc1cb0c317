import type { ColumnBook } from './columns.ts';
import type { Completeness } from './completeness.ts';
import type { QuestionBook } from './questions.ts';
import type { VariableBook } from './variables.ts';

/** What a warehouse has, for people who get the data: no value in it says anything of a single person. */
export interface Codebook {
  readonly product: string;
  /** When it was made, UTC. */
  readonly madeAt: string;
  readonly studies: readonly Study[];
  /** Columns that every table of records has. */
  readonly common: readonly ColumnMeaning[];
}

export interface ColumnMeaning {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly meaning: string;
  readonly missingMeans: string;
}

/** One experiment. */
export interface Study {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly rooms: number;
  readonly people: number;
  /** Those whose completion code says that they finished. */
  readonly finished: number;
  /** The days of the first and the last participation. */
  readonly from: string | null;
  readonly to: string | null;
  readonly completeness: Completeness;
  readonly questions: readonly QuestionBook[];
  readonly variables: readonly VariableBook[];
  readonly design: readonly Step[];
  readonly tables: readonly TableBook[];
  /** Views and what a row of them is; they have the columns of tables. */
  readonly views: readonly { readonly name: string; readonly about: string; readonly rows: number }[];
  /** Tables without a row of this experiment. */
  readonly empty: readonly string[];
}

/** A part of the design, in its order. */
export interface Step {
  readonly position: number;
  readonly part: string;
  readonly state: string | null;
  readonly component: string | null;
  readonly question: string | null;
  readonly scale: string | null;
  readonly medium: string | null;
  readonly durationS: number | null;
}

/** A table, as far as it has rows of the experiment. */
export interface TableBook {
  readonly name: string;
  readonly kind: string;
  readonly about: string;
  readonly rowIs: string;
  readonly joinBy: string | null;
  readonly rows: number;
  /** The data types that it comes from and that may be incomplete. */
  readonly lacking: readonly string[];
  /** Up to when its data were read, UTC. */
  readonly asOf: string | null;
  readonly columns: readonly ColumnBook[];
  /** How many columns are left out, as they are named after people or rooms. */
  readonly leftOut: number;
}
