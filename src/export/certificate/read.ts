import { z } from 'zod';
import type { Dataset } from '../../datasets/define.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { count, counted } from '../../shared/count.ts';
import { queryRows, queryValues, quote } from '../../shared/sqlite.ts';
import { formatTime } from '../../shared/time.ts';
import { VERSION } from '../../shared/version.ts';
import type { Db } from '../../warehouse/open.ts';
import type { StoredPosition } from '../../warehouse/positions.ts';
import { quarantinedRecords } from '../../warehouse/quarantine.ts';
import { experimentNames } from '../../warehouse/structure.ts';
import { completenessOf, type Completeness } from '../codebook/completeness.ts';
import type { Certificate, CertifiedData } from './certificate.ts';
import { digestOf } from './digest.ts';

/** Reads the certificate of an experiment; call it in a transaction, so that its numbers fit each other. */
export function readCertificate(
  db: Db,
  { experiment, positions, madeAt }: { experiment: string; positions: readonly StoredPosition[]; madeAt: string },
): Certificate {
  const completeness = completenessOf(db, experiment, positions);
  const { asOf, lacks, unreadable, unasked } = completeness;
  const read = DATASETS.filter(({ name }) => ![...unreadable, ...unasked].includes(name));
  const data = read.map((dataset) =>
    certify(db, dataset, {
      experiment,
      completeness,
      streams: positions.filter((stream) => stream.experimentId === experiment && stream.data === dataset.name),
    }),
  );
  // What the key may not read is not known to be there, so that nothing complete can be said of the experiment.
  const isComplete = asOf !== null && lacks.length === 0 && unreadable.length === 0;
  return {
    certificate: 1,
    product: `HyperStudy Warehouse ${VERSION}`,
    madeAt,
    experiment: { id: experiment, name: experimentNames(db).get(experiment) ?? null },
    isComplete,
    headline: headlineOf(isComplete, data, completeness),
    dataAsOf: asOf,
    ...(queryRows(db, PEOPLE, People).get(experiment) ?? { participations: 0, rooms: 0 }),
    lacks: [...lacks],
    unreadable: [...unreadable],
    unasked: [...unasked],
    data,
  };
}

function headlineOf(isComplete: boolean, data: readonly CertifiedData[], { asOf, unreadable }: Completeness): string {
  if (asOf === null) return 'Not complete: nothing of this experiment was read yet.';
  const rows = data.reduce((sum, one) => sum + one.rows, 0);
  if (isComplete) return `Complete: ${counted(rows, 'record')} of ${count(data.length)} data types, all accounted for.`;
  const lacking = data.filter((one) => !one.isComplete).length + unreadable.length;
  return `Not complete: ${count(lacking)} of ${count(data.length + unreadable.length)} data types may lack records.`;
}

const People = z.object({ participations: z.number(), rooms: z.number() });
const PEOPLE = `SELECT count(*) FILTER (WHERE participant_id IS NOT NULL) AS participations, count(DISTINCT room_id) AS rooms
  FROM people WHERE experiment_id = ?`;

interface Part {
  readonly experiment: string;
  readonly completeness: Completeness;
  readonly streams: readonly StoredPosition[];
}

function certify(db: Db, dataset: Dataset, { experiment, completeness, streams }: Part): CertifiedData {
  const { name, table } = dataset;
  const { isLacking = true, asOf = null } = completeness.data[name] ?? {};
  return {
    data: name,
    table,
    ...digestOf(db, dataset, experiment),
    ...timesOf(db, dataset, experiment),
    rooms: roomsOf(db, dataset, experiment),
    isComplete: !isLacking,
    dataAsOf: asOf,
    comparedAt: oldest(streams.map(({ verifiedAt }) => verifiedAt)),
    countedAt: oldest(streams.map(({ accountedAt }) => accountedAt)),
    quarantined: quarantinedRecords(db, name, [experiment]).length,
    erased: queryValues(db, ERASED, z.number()).get(experiment, name) ?? 0,
    changed: changes(db, table, experiment, 'changed'),
    deleted: changes(db, table, experiment, 'deleted'),
  };
}

const ERASED = 'SELECT count(*) FROM _erased_records WHERE experiment_id = ? AND data = ?';

/** The oldest of the times; null where one is unknown, or there is none. */
function oldest(times: readonly (number | undefined)[]): string | null {
  const known = times.filter((time) => time !== undefined);
  return known.length < times.length || known.length === 0 ? null : formatTime(Math.min(...known));
}

const Times = z.object({ from: z.string().nullable(), to: z.string().nullable() });

function timesOf(db: Db, { table, timeColumn }: Dataset, experiment: string): z.infer<typeof Times> {
  const none = { from: null, to: null };
  if (timeColumn === undefined) return none;
  const time = quote(timeColumn);
  const sql = `SELECT min(${time}) AS "from", max(${time}) AS "to" FROM ${quote(table)} WHERE experiment_id = ?`;
  return queryRows(db, sql, Times).get(experiment) ?? none;
}

function roomsOf(db: Db, { table, columns }: Dataset, experiment: string): CertifiedData['rooms'] {
  if (!columns.some(({ name }) => name === 'room_id')) return [];
  const sql = `SELECT room_id AS room, count(*) AS rows FROM ${quote(table)}
    WHERE experiment_id = ? AND room_id IS NOT NULL GROUP BY room_id ORDER BY room_id`;
  return queryRows(db, sql, z.object({ room: z.string(), rows: z.number() })).all(experiment);
}

const Changed = z.object({ rows: z.number(), first: z.string().nullable(), last: z.string().nullable() });

function changes(db: Db, table: string, experiment: string, what: string): z.infer<typeof Changed> {
  const sql = `SELECT count(DISTINCT key) AS rows, min(at) AS first, max(at) AS last FROM _history
    WHERE table_name = ? AND experiment_id = ? AND what = ?`;
  return queryRows(db, sql, Changed).get(table, experiment, what) ?? { rows: 0, first: null, last: null };
}
