import { setImmediate as turn } from 'node:timers/promises';
import { WarehouseError } from '../../shared/errors.ts';
import { beginDigest, type Digest } from '../certificate/digest.ts';
import { columnsMark } from '../lake/marks.ts';
import type { Publication } from '../lake/publish.ts';
import { recordReader } from '../lake/records.ts';
import type { Table } from '../snapshot/tables.ts';
import { lineWriter } from './columns.ts';
import type { Job, Part } from './plan.ts';
import type { Server } from './server.ts';
import { declared, type PartitionThere } from './there.ts';

/** A table whose changed rows are in a temporary table. */
export interface Staged {
  readonly job: Job;
  readonly staging: string;
  readonly partitions: readonly PartitionThere[];
  /** Whether PostgreSQL can hold it. */
  readonly isThere: boolean;
  /** How much was sent. */
  readonly bytes: number;
}

const WIDE =
  'A row of it is wider than PostgreSQL allows; its values are in answers, variable_values and people as well.';

/** Sends what changed of a table. */
export async function stage(
  job: Job,
  n: number,
  { server, publication }: { readonly server: Server; readonly publication: Publication },
): Promise<Staged> {
  const staging = `pg_temp.hsw_${n}`;
  const isThere = job.kept.every(({ leftOut }) => leftOut === null);
  if (job.parts.length === 0) return { job, staging, partitions: [], isThere, bytes: 0 };
  await server.run(`CREATE TEMPORARY TABLE hsw_${n} (${job.table.columns.map(declared).join(', ')}) ON COMMIT DROP`);
  await server.run('SAVEPOINT staged');
  const { texts, sent } = textsOf(job.parts, publication);
  const fits = await server.send(`COPY ${staging} FROM STDIN`, texts);
  if (!fits && job.table.key.length > 0) throw tooWide(server, job.table);
  await server.run(fits ? `ANALYZE ${staging}` : 'ROLLBACK TO SAVEPOINT staged');
  const { digests, bytes } = sent();
  const partitions = job.parts.map(({ table, experiment, rows, mark }, i) => ({
    table: table.name,
    experiment,
    rows: digests[i]?.rows ?? rows,
    digest: digests[i]?.sha256 ?? '',
    width: table.columns.length,
    columns: columnsMark(table.columns),
    mark,
    leftOut: fits ? null : WIDE,
  }));
  return { job, staging, partitions, isThere: fits, bytes };
}

function tooWide({ place }: Server, { name }: Table): WarehouseError {
  return new WarehouseError(
    'PUBLISH_FAILED',
    `A row of ${name} is wider than PostgreSQL allows: nothing new is at ${place}.`,
    {
      hint: 'Publish a lake of Parquet files instead, which has no such limit.',
    },
  );
}

/** Texts of so many letters, and the process does what else there is to do between them. */
const TEXT = 65_536;

/** What was sent of a table's parts. */
interface Sent {
  /** Of each part. */
  readonly digests: readonly Digest[];
  readonly bytes: number;
}

/** The lines of rows as COPY wants them, and what of them was sent. A part's digest is made in the same reading. */
function textsOf(
  parts: readonly Part[],
  { signal, rows: report }: Publication,
): { readonly texts: AsyncIterable<string>; readonly sent: () => Sent } {
  const digests: Digest[] = [];
  let bytes = 0;
  async function* textsOfPart({ table, rows: of }: Part): AsyncGenerator<string> {
    const [lineOf, recordOf, digest] = [lineWriter(table.name, table.columns), recordReader(table), beginDigest()];
    let [text, rows] = ['', 0];
    report(table.name, 0, of);
    for (const row of table.rows()) {
      text += lineOf(row);
      digest.add(recordOf(row));
      rows += 1;
      if (text.length < TEXT) continue;
      bytes += Buffer.byteLength(text);
      yield text;
      text = '';
      report(table.name, rows, of);
      await turn();
      signal.throwIfAborted();
    }
    if (text !== '') yield text;
    bytes += Buffer.byteLength(text);
    report(table.name, rows, of);
    digests.push(digest.end());
  }
  async function* texts(): AsyncGenerator<string> {
    for (const part of parts) yield* textsOfPart(part);
  }
  return { texts: texts(), sent: () => ({ digests, bytes }) };
}
