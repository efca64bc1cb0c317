import { z } from 'zod';
import { DATASETS } from '../../datasets/registry.ts';
import { queryRows, queryValues, quote } from '../../shared/sqlite.ts';
import { VERSION } from '../../shared/version.ts';
import type { Db } from '../../warehouse/open.ts';
import type { StoredPosition } from '../../warehouse/positions.ts';
import type { Codebook, Step, Study, TableBook } from './codebook.ts';
import { columnsOf, meaningsOf } from './columns.ts';
import { completenessOf, type Completeness } from './completeness.ts';
import { namedAfterPeople, personalIn, type IsPersonal } from './impersonal.ts';
import { questionsOf, scaleText } from './questions.ts';
import { presentable } from './shown.ts';
import { variablesOf } from './variables.ts';

/** Columns that every table of records has; they are explained once. */
const COMMON = ['key', 'extra', 'null_fields', 'first_seen_at', 'synced_at', 'synced_run'];

/** Reads the codebook of some experiments; call it in a transaction, so that its numbers fit each other. */
export function readCodebook(
  db: Db,
  {
    experiments,
    positions,
    madeAt,
  }: { experiments: readonly string[]; positions: readonly StoredPosition[]; madeAt: string },
): Codebook {
  const isPersonal = personalIn(db);
  const common = meaningsOf(db, DATASETS[0]?.table ?? '').filter(({ name }) => COMMON.includes(name));
  return {
    product: `HyperStudy Warehouse ${VERSION}`,
    madeAt,
    studies: experiments.map((id) =>
      readStudy(db, id, { completeness: completenessOf(db, id, positions), isPersonal }),
    ),
    common: common.map(({ name, type, unit, meaning, missing }) => ({
      name,
      type,
      unit,
      meaning,
      missingMeans: missing,
    })),
  };
}

const Facts = z.object({
  people: z.number(),
  rooms: z.number(),
  finished: z.number(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
const FACTS = `SELECT count(*) FILTER (WHERE participant_id IS NOT NULL) AS people, count(DISTINCT room_id) AS rooms,
    count(*) FILTER (WHERE is_complete) AS finished,
    substr(min(joined_at), 1, 10) AS "from", substr(max(joined_at), 1, 10) AS "to" FROM people WHERE experiment_id = ?`;

/** How complete the data of an experiment are, and what must not be shown of them. */
interface Terms {
  readonly completeness: Completeness;
  readonly isPersonal: IsPersonal;
}

function readStudy(db: Db, id: string, terms: Terms): Study {
  const { completeness, isPersonal } = terms;
  const facts = queryRows(db, FACTS, Facts).get(id) ?? { people: 0, rooms: 0, finished: 0, from: null, to: null };
  const listed = listedTables(db).filter(({ kind, name }) => kind !== 'own' && isOf(db, name, id));
  const counted = listed.map((table) => ({ ...table, rows: rowsIn(db, table.name, id) }));
  const held = counted.filter(({ rows }) => rows > 0);
  return {
    id,
    ...namesOf(db, id),
    ...facts,
    completeness,
    questions: questionsOf(db, id, isPersonal),
    variables: variablesOf(db, id, isPersonal),
    design: designOf(db, id),
    tables: held.filter(({ kind }) => kind !== 'view').map((table) => readTable(db, id, table, terms)),
    views: held.filter(({ kind }) => kind === 'view').map(({ name, about, rows }) => ({ name, about, rows })),
    empty: counted.filter(({ rows, kind }) => rows === 0 && kind !== 'view').map(({ name }) => name),
  };
}

const Listed = z.object({
  name: z.string(),
  kind: z.string(),
  data: z.string().nullable(),
  about: z.string(),
  rowIs: z.string(),
  joinBy: z.string().nullable(),
});

function listedTables(db: Db) {
  const sql = `SELECT name, kind, data, about, row_is AS rowIs, join_by AS joinBy FROM _tables WHERE substr(name, 1, 1) <> '_' ORDER BY rowid`;
  return queryRows(db, sql, Listed).all();
}

/** A table with one row a person is that of one experiment. */
function isOf(db: Db, table: string, experiment: string): boolean {
  const sql = "SELECT experiment_id FROM _wide_columns WHERE form = 'table' AND column_name = ?";
  return (queryValues(db, sql, z.string()).get(table) ?? experiment) === experiment;
}

function rowsIn(db: Db, table: string, experiment: string): number {
  return (
    queryValues(db, `SELECT count(*) FROM ${quote(table)} WHERE experiment_id = ?`, z.number()).get(experiment) ?? 0
  );
}

function readTable(
  db: Db,
  experiment: string,
  { name, kind, data, about, rowIs, joinBy, rows }: z.infer<typeof Listed> & { readonly rows: number },
  { completeness, isPersonal }: Terms,
): TableBook {
  const sources = (data ?? '').split(', ').filter((source) => source in completeness.data);
  const times = sources.flatMap((source) => completeness.data[source]?.asOf ?? []);
  const personal = namedAfterPeople(db, name, isPersonal);
  return {
    name,
    kind,
    about,
    rowIs,
    joinBy,
    rows,
    lacking: sources.filter((source) => completeness.data[source]?.isLacking === true),
    asOf: times.sort()[0] ?? null,
    columns: columnsOf(
      db,
      { table: name, experiment },
      { leaveOut: [...personal, ...(kind === 'mirrored' ? COMMON : [])], isPersonal },
    ),
    leftOut: personal.length,
  };
}

const Names = z.object({ name: z.string().nullable(), description: z.string().nullable() });

function namesOf(db: Db, id: string): z.infer<typeof Names> {
  const sql = (table: string) =>
    `SELECT name, description FROM ${table} WHERE experiment_id = ? ORDER BY first_seen_at DESC LIMIT 1`;
  const [own, config] = ['experiments', 'experiment_configs'].map((table) => queryRows(db, sql(table), Names).get(id));
  return { name: own?.name ?? config?.name ?? null, description: own?.description ?? config?.description ?? null };
}

const Text = z.string().nullable();
const Num = z.number().nullable();
const Planned = z.object({
  position: z.number(),
  part: z.string(),
  state: Text,
  component: Text,
  question: Text,
  scaleMin: Num,
  scaleMax: Num,
  labelMin: Text,
  labelMax: Text,
  medium: Text,
  duration: Num,
});
const PLANNED = `SELECT position, part, coalesce(state_name, state_id) AS state, component_type AS component, question,
    scale_min AS scaleMin, scale_max AS scaleMax, label_min AS labelMin, label_max AS labelMax, medium, duration
  FROM design WHERE experiment_id = ? ORDER BY position`;

function designOf(db: Db, experiment: string): Step[] {
  return queryRows(db, PLANNED, Planned)
    .all(experiment)
    .map(({ position, part, state, component, question, medium, duration, ...scale }) => ({
      position,
      part,
      state,
      component,
      question,
      scale: scaleText(scale),
      medium: medium === null ? null : (presentable(medium) ?? null),
      durationS: duration === null ? null : duration / 1000,
    }));
}
