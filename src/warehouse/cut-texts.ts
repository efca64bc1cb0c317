import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { command, queryLists, queryValues, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

const NAME = 'cut-texts';
const REASON = 'texts with URLs may have been cut by an earlier version';

/** A string in JSON that starts like a URL and has no query. */
const CUT_IN_JSON = /"https?:\/\/(?:[^"\\?]|\\.)*"/i;

/** The data types of an experiment with texts from which an earlier version may have cut something. */
export interface CutTexts {
  readonly experimentId: string;
  readonly data: string;
}

/**
 * Marks, once, the streams to be read whole again from whose texts version 0.1.0 may have cut something: it removed the
 * query from any string that started with `http://` or `https://` and contained something like a signature.
 */
export function markCutTexts(db: Db, now: number): void {
  const hasColumn = "SELECT 1 FROM pragma_table_info('_streams') WHERE name = 'reread_reason'";
  if (queryValues(db, hasColumn, z.number()).get() === undefined || recall(db, NAME) !== undefined) return;
  const streams = streamsWithCutTexts(db);
  db.transaction(() => {
    const mark = command(db, 'UPDATE _streams SET reread_reason = ? WHERE experiment_id = ? AND data = ?');
    for (const { experimentId, data } of streams) mark(REASON, experimentId, data);
    remember(db, NAME, JSON.stringify(streams), now);
  }).immediate();
}

/** Where a string, also one inside JSON, is a URL without a query; declared URLs may be without one. */
export function streamsWithCutTexts(db: Db): CutTexts[] {
  return DATASETS.flatMap((dataset) =>
    experimentsWithCutTexts(db, dataset).map((experimentId) => ({ experimentId, data: dataset.name })),
  );
}

function experimentsWithCutTexts(db: Db, { table, columns }: Dataset): string[] {
  const places = columns.filter(({ spec }) => spec.volatile !== true);
  const texts = places
    .filter(({ spec, part }) => spec.kind === 'text' || part === 'text')
    .map(({ name }) => quote(name));
  const jsons = [
    ...places.filter(({ spec, part }) => spec.kind === 'json' || part === 'json').map(({ name }) => quote(name)),
    'extra',
  ];
  const isCut = texts.map((name) => `(${name} LIKE 'http%://%' AND ${name} NOT LIKE '%?%')`);
  const mayBe = jsons.map((name) => `${name} LIKE '%"http%://%'`);
  const found = new Set<string>();
  const sql = `SELECT experiment_id, ${isCut.length === 0 ? '0' : isCut.join(' OR ')}, ${jsons.join(', ')} FROM ${quote(table)}
    WHERE ${[...isCut, ...mayBe].join(' OR ')}`;
  for (const [experimentId, isText, ...held] of queryLists(db, sql).iterate()) {
    if (found.has(String(experimentId))) continue;
    if (isText === 1 || held.some((json) => CUT_IN_JSON.test(String(json)))) found.add(String(experimentId));
  }
  return [...found];
}
