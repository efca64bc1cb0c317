import { z } from 'zod';
import { isObject, parseJson, type Json } from '../../shared/json.ts';
import { queryRows, queryValues } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import { NAMED_AFTER, type IsPersonal } from './impersonal.ts';
import { codesAmong, presentable, type Level } from './shown.ts';

/** A shared variable: its last values, one for each room or person that it belongs to. */
export interface VariableBook {
  readonly name: string;
  /** room or participant; null: it was never written. */
  readonly owner: string | null;
  /** The types of its values. */
  readonly types: string;
  /** What the configuration sets at the beginning. */
  readonly initial: string | null;
  readonly writes: number;
  /** Rooms or people who have a value. */
  readonly n: number;
  readonly minimum: number | null;
  readonly mean: number | null;
  readonly maximum: number | null;
  readonly levels: readonly Level[];
  /** Those whose value is not listed. */
  readonly others: number;
}

const Num = z.number().nullable();
const Written = z.object({
  name: z.string(),
  owner: z.string(),
  types: z.string(),
  writes: z.number(),
  n: z.number(),
  minimum: Num,
  mean: Num,
  maximum: Num,
});

const WRITTEN = `SELECT variable AS name, owner, coalesce(group_concat(DISTINCT value_type), '') AS types, count(*) AS writes,
    count(*) FILTER (WHERE is_last AND value_type IS NOT NULL) AS n,
    min(value_number) FILTER (WHERE is_last AND value_type <> 'boolean') AS minimum,
    avg(value_number) FILTER (WHERE is_last AND value_type <> 'boolean') AS mean,
    max(value_number) FILTER (WHERE is_last AND value_type <> 'boolean') AS maximum
  FROM variable_values WHERE experiment_id = ? AND variable IS NOT NULL GROUP BY variable, owner ORDER BY variable, owner DESC`;

/** The variables of an experiment: those that were written, and then those that are only configured. */
export function variablesOf(db: Db, experiment: string, isPersonal: IsPersonal): VariableBook[] {
  const initial = configured(db, experiment);
  const written = queryRows(db, WRITTEN, Written)
    .all(experiment)
    .map((one) => ({
      ...one,
      types: one.types.split(',').sort().join(', '),
      initial: initial.get(one.name) ?? null,
      ...levelsIn(db, experiment, one, isPersonal),
    }));
  const names = new Set(written.map(({ name }) => name));
  const NONE = {
    owner: null,
    types: '',
    writes: 0,
    n: 0,
    minimum: null,
    mean: null,
    maximum: null,
    levels: [],
    others: 0,
  };
  const unwritten = [...initial]
    .filter(([name]) => !names.has(name))
    .map(([name, value]) => ({ ...NONE, name, initial: value }));
  return [...written, ...unwritten].map((one) => (isPersonal(one.name) ? { ...one, name: NAMED_AFTER } : one));
}

/** Texts and booleans. */
function levelsIn(db: Db, experiment: string, { name, owner }: z.infer<typeof Written>, isPersonal: IsPersonal) {
  const sql = `SELECT CASE value_type WHEN 'boolean' THEN iif(value_number, 'true', 'false') ELSE value_text END AS value, count(*) AS n
    FROM variable_values WHERE experiment_id = ? AND variable = ? AND owner = ? AND is_last AND value_type IN ('text', 'boolean')
      AND (value_text IS NOT NULL OR value_type = 'boolean') GROUP BY 1 ORDER BY 1`;
  const Count = z.object({ value: z.string(), n: z.number() });
  return codesAmong(queryRows(db, sql, Count).all(experiment, name, owner), isPersonal);
}

/** The variables of the newest configuration, each with its initial value where that is a plain one. */
function configured(db: Db, experiment: string): Map<string, string | null> {
  const sql = 'SELECT variables FROM experiment_configs WHERE experiment_id = ? ORDER BY first_seen_at DESC LIMIT 1';
  const text = queryValues(db, sql, z.string().nullable()).get(experiment) ?? null;
  const declared = text === null ? null : parseJson(text);
  if (Array.isArray(declared))
    return new Map(
      declared.filter(isObject).flatMap((one) => {
        const { name } = one;
        return typeof name === 'string' ? [[name, initialOf(one)] as const] : [];
      }),
    );
  return new Map(
    isObject(declared) ? Object.entries<Json>(declared).map(([name, value]) => [name, initialOf(value)]) : [],
  );
}

function initialOf(declared: Json): string | null {
  if (typeof declared === 'boolean') return String(declared);
  if (typeof declared === 'number' || typeof declared === 'string') return presentable(declared) ?? null;
  if (!isObject(declared)) return null;
  const value =
    declared['initialValue'] ?? declared['defaultValue'] ?? declared['default'] ?? declared['value'] ?? null;
  return isObject(value) ? null : initialOf(value);
}
