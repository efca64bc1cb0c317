import { z } from 'zod';
import { queryLists, queryRows, quote } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import type { IsPersonal } from './impersonal.ts';
import { labelsIn, levelsOf, shownIn, type Level, type Shown } from './shown.ts';

/** A column: what it means, and what is in it. */
export interface ColumnBook {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly meaning: string;
  readonly missingMeans: string;
  readonly source: string;
  /** Rows with a value, and without one. */
  readonly n: number;
  readonly missing: number;
  /** Different values; null where they are not counted, as of JSON. */
  readonly distinct: number | null;
  readonly minimum: string | number | null;
  readonly maximum: string | number | null;
  readonly levels: readonly Level[];
  /** Rows whose values are not listed, where levels are. */
  readonly others: number;
}

/** Rows of one experiment in a table. */
export interface Rows {
  readonly table: string;
  readonly experiment: string;
}

const Meaning = z.object({
  name: z.string(),
  type: z.string(),
  unit: z.string().nullable(),
  meaning: z.string(),
  missing: z.string(),
  source: z.string(),
});
type Meaning = z.infer<typeof Meaning>;

/** The columns of a table, but for some, with what is in them for one experiment. */
export function columnsOf(
  db: Db,
  rows: Rows,
  { leaveOut, isPersonal }: { leaveOut: readonly string[]; isPersonal: IsPersonal },
): ColumnBook[] {
  const meanings = meaningsOf(db, rows.table).filter(({ name }) => !leaveOut.includes(name));
  const shown = shownIn(db, rows.table);
  return inParts(meanings).flatMap((part) =>
    summaries(
      db,
      rows,
      part.map((meaning) => ({ meaning, shown: shown(meaning.name) })),
      isPersonal,
    ),
  );
}

/** The columns of a table or view, in its order. */
export function meaningsOf(db: Db, table: string): Meaning[] {
  const sql = `SELECT c.name, d.type, d.unit, d.meaning, d.missing, d.source
    FROM pragma_table_info(@table) c JOIN _data_dictionary d ON d.table_name = @table AND d.column_name = c.name ORDER BY c.cid`;
  return queryRows(db, sql, Meaning).all({ table });
}

/** SQLite returns at most 2000 columns, and counting distinct values takes memory for each. */
const COLUMNS_AT_A_TIME = 50;

function inParts<T>(all: readonly T[]): T[][] {
  const parts = Math.ceil(all.length / COLUMNS_AT_A_TIME);
  return Array.from({ length: parts }, (_, i) => all.slice(i * COLUMNS_AT_A_TIME, (i + 1) * COLUMNS_AT_A_TIME));
}

interface Asked {
  readonly meaning: Meaning;
  readonly shown: Shown;
}

function summaries(db: Db, rows: Rows, asked: readonly Asked[], isPersonal: IsPersonal): ColumnBook[] {
  const selected = asked.flatMap(({ meaning: { name, unit }, shown }) => {
    const column = quote(name);
    const distinct = unit === 'JSON' ? 'NULL' : `count(DISTINCT ${column})`;
    const ends = shown === 'range' ? [`min(${column})`, `max(${column})`] : ['NULL', 'NULL'];
    return [`count(${column})`, distinct, ...ends];
  });
  const sql = `SELECT count(*), ${selected.join(', ')} FROM ${quote(rows.table)} WHERE experiment_id = ?`;
  const [total, ...values] = queryLists(db, sql).get(rows.experiment) ?? [];
  return asked.map((one, i) => {
    const [n, distinct, minimum = null, maximum = null] = values.slice(i * 4, i * 4 + 4);
    return {
      ...bookOf(one.meaning),
      n: Number(n),
      missing: Number(total) - Number(n),
      distinct: distinct === null ? null : Number(distinct),
      minimum,
      maximum,
      ...levelsIn(db, rows, { ...one, distinct: Number(distinct), isPersonal }),
    };
  });
}

function bookOf({ name, type, unit, meaning, missing, source }: Meaning) {
  return { name, type, unit, meaning, missingMeans: missing, source };
}

/** Numbers of so few values are listed like codes. */
const FEW_NUMBERS = 5;

const Counted = z.object({ value: z.union([z.string(), z.number()]), n: z.number() });

function levelsIn(
  db: Db,
  { table, experiment }: Rows,
  { meaning, shown, distinct, isPersonal }: Asked & { distinct: number; isPersonal: IsPersonal },
) {
  const isFew = shown === 'range' && meaning.type !== 'TEXT' && distinct <= FEW_NUMBERS;
  if (shown !== 'levels' && !isFew) return { levels: [], others: 0 };
  const column = quote(meaning.name);
  const sql = `SELECT ${column} AS value, count(*) AS n FROM ${quote(table)}
    WHERE experiment_id = ? AND ${column} IS NOT NULL GROUP BY 1 ORDER BY 1`;
  // What the values mean everywhere, not those of one question.
  const labels = labelsIn(db, 'table_name = ? AND column_name = ? AND question_id IS NULL', table, meaning.name);
  return levelsOf(queryRows(db, sql, Counted).all(experiment), isPersonal, labels);
}
