import { z } from 'zod';
import { denormalise } from '../datasets/normalise.ts';
import { DATASETS } from '../datasets/registry.ts';
import { textOfJson, type Json } from '../shared/json.ts';
import { queryLists, queryRows, quote } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { filesOf } from '../warehouse/erased-media.ts';
import { formerRow, mentions, placesOf, textsOf, wordsOf, type Person } from '../warehouse/person.ts';
import { heldColumns, heldIn } from '../warehouse/held.ts';

/**
 * All that the warehouse holds of one person, a line each: the records that are about them or that they wrote, as the
 * API sent them; earlier versions of these; and malformed records that name them.
 */
export function* personLines(db: Db, person: Person): Generator<string> {
  for (const dataset of DATASETS) {
    const placeOf = placesOf(dataset);
    const isTheirs = (row: Parameters<typeof placeOf>[0]) => {
      const { room, people } = placeOf(row);
      return people.includes(person.participant) && (person.room === undefined || person.room === room);
    };
    const line = (experiment: string, rest: Readonly<Record<string, Json>>) =>
      `${textOfJson({ data: dataset.name, experiment, ...rest })}\n`;
    const rows = queryLists(
      db,
      `SELECT experiment_id, ${heldColumns(dataset)} FROM ${quote(dataset.table)} WHERE ${mentions(textsOf(dataset))} ORDER BY key`,
    );
    for (const [id, ...stored] of rows.iterate(wordsOf(person))) {
      const experimentId = String(id);
      const held = heldIn(stored);
      if (isTheirs(held)) yield line(experimentId, { record: denormalise(dataset, { experimentId, ...held }) });
    }
    const Former = z.object({ experiment: z.string(), what: z.string(), at: z.string(), record: z.string() });
    const sql = `SELECT experiment_id AS experiment, what, at, record FROM _history
      WHERE table_name = @table AND ${mentions(['record'])} ORDER BY id`;
    for (const { experiment, what, at, record } of queryRows(db, sql, Former).iterate({
      ...wordsOf(person),
      table: dataset.table,
    })) {
      const { row, values } = formerRow(dataset, record);
      if (isTheirs(row)) yield line(experiment, { former: values, what, at });
    }
  }
  yield* mediaLines(db, person);
  const Malformed = z.object({ data: z.string(), experiment: z.string(), text: z.string() });
  const sql = `SELECT data, experiment_id AS experiment, record AS text FROM _quarantine WHERE ${mentions(['record'])}`;
  for (const { text, ...of } of queryRows(db, sql, Malformed).iterate(wordsOf(person)))
    yield `${textOfJson({ ...of, malformed: text })}\n`;
}

/** The files of recordings that show or name the person. */
function* mediaLines(db: Db, person: Person): Generator<string> {
  const File = z.object({
    experiment: z.string(),
    recording: z.string().nullable(),
    status: z.string(),
    path: z.string().nullable(),
    bytes: z.number().nullable(),
    sha256: z.string().nullable(),
  });
  const sql = `SELECT experiment_id AS experiment, recording_id AS recording, status, path, bytes, sha256
    FROM media_files WHERE (experiment_id, key) IN (${filesOf()}) ORDER BY experiment_id, key`;
  for (const { experiment, ...file } of queryRows(db, sql, File).iterate(wordsOf(person)))
    yield `${textOfJson({ data: 'media_files', experiment, file })}\n`;
}
