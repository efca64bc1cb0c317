import type { Dataset } from '../../datasets/define.ts';
import { denormalise } from '../../datasets/normalise.ts';
import { DATASETS } from '../../datasets/registry.ts';
import type { Json } from '../../shared/json.ts';
import type { SqlValue } from '../../shared/sqlite.ts';
import { heldIn, heldNames } from '../../warehouse/held.ts';
import type { Column, Table } from '../snapshot/tables.ts';
import { SAID_BESIDE } from './marks.ts';

/** Whether a table has rows of experiments; the others are about the file and its streams. */
export function isOfExperiments({ name, columns }: Table): boolean {
  const isOwn = name.startsWith('_') && !SAID_BESIDE.includes(name);
  return !isOwn && columns.some((column) => column.name === 'experiment_id');
}

/** What a line of an NDJSON export has: the record as the API sent it, or a row with its columns as members. */
export function recordReader({ name, columns }: Table): (row: readonly SqlValue[]) => Json {
  const dataset = DATASETS.find(({ table }) => table === name);
  return dataset === undefined
    ? (row) => Object.fromEntries(columns.map((column, i) => [column.name, row[i] ?? null]))
    : apiRecords(dataset, columns);
}

function apiRecords(dataset: Dataset, columns: readonly Column[]): (row: readonly SqlValue[]) => Json {
  const held = heldNames(dataset).map((name) => columns.findIndex((column) => column.name === name));
  const experiment = columns.findIndex(({ name }) => name === 'experiment_id');
  return (row) =>
    denormalise(dataset, {
      experimentId: String(row[experiment]),
      ...heldIn(held.map((i) => row[i] ?? null)),
    });
}
