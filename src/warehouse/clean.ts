import { createHash } from 'node:crypto';
import { isDigest } from '../datasets/keys.ts';
import type { Dataset } from '../datasets/define.ts';
import { policyOf, type Policy, type PolicySettings } from '../datasets/policy.ts';
import { DATASETS } from '../datasets/registry.ts';
import { counted } from '../shared/count.ts';
import { WarehouseError } from '../shared/errors.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import { VERSION } from '../shared/version.ts';
import { z } from 'zod';
import { hasOtherKey, noteApplied, notYetApplied } from './applied-policy.ts';
import { writeDictionary } from './dictionary.ts';
import { oneLineATable, type ErasureParts, type Receipt } from './erase.ts';
import type { Db } from './open.ts';
import { rekeyTable } from './rekey.ts';
import { backupsOf } from './retention.ts';
import { countAgainst, historyAgainst, metadataAgainst, quarantineAgainst, rowsAgainst } from './stored-policy.ts';

/**
 * Makes what was stored before a policy held what it would be now: rows, history, malformed records and what answers
 * said besides. In a transaction of the caller's, after which the file has to be overwritten.
 */
export function clean(db: Db, settings: PolicySettings, { now, upsertOf, settle }: ErasureParts): Receipt {
  refuseOtherKey(db, settings);
  const at = formatTime(now);
  const policy = policyOf(settings, true);
  const replaced =
    policy === undefined ? [] : DATASETS.flatMap((dataset) => cleanData(db, policy, dataset, { at, upsertOf }));
  settle();
  noteApplied(db, settings, now);
  writeDictionary(db, DATASETS);
  const tables = oneLineATable(replaced.map(({ table, rows }) => ({ table, erased: 0, replaced: rows })));
  const receipt = { at, version: VERSION, tables, unreached: backupsOf(db.name) };
  if (tables.length > 0)
    command(db, 'INSERT INTO _erasures (at, version, receipt) VALUES (?, ?, ?)')(at, VERSION, JSON.stringify(receipt));
  return receipt;
}

function cleanData(
  db: Db,
  policy: Policy,
  dataset: Dataset,
  { at, upsertOf }: Pick<ErasureParts, 'upsertOf'> & { readonly at: string },
): { table: string; rows: number }[] {
  const { table } = dataset;
  const lastLine = queryValues(db, 'SELECT max(id) FROM _history', z.number().nullable()).get() ?? 0;
  let [rows, hasDigests] = [0, false];
  const upsert = upsertOf(dataset);
  for (const { experimentId, row } of rowsAgainst(db, policy, dataset)) {
    if (upsert(experimentId, row, at) === 'updated') rows++;
    hasDigests ||= isDigest(row.key);
  }
  const rewrite = command(db, 'UPDATE _history SET record = ? WHERE id = ?');
  let lines = 0;
  // What the history keeps of the rows above goes below.
  command(db, 'DELETE FROM _history WHERE id > ?')(lastLine);
  for (const { id, record } of historyAgainst(db, policy, dataset)) lines += rewrite(record, id);
  if (hasDigests || lines > 0) {
    rekeyTable(db, dataset);
    command(db, 'DELETE FROM _history WHERE id > ?')(lastLine);
  }
  return [
    { table, rows },
    { table: '_history', rows: lines },
    { table: '_quarantine', rows: cleanQuarantine(db, policy, dataset) },
    { table: '_answer_metadata', rows: cleanMetadata(db, policy, dataset) },
  ];
}

/** A text that two malformed records have now is kept for both, as each is counted. */
function cleanQuarantine(db: Db, policy: Policy, dataset: Dataset): number {
  const rewrite = command(db, 'UPDATE _quarantine SET record = ?, key = ? WHERE rowid = ?');
  const against = quarantineAgainst(db, policy, dataset);
  for (const { id, text } of against) {
    const key = createHash('sha256').update(`${text}\n${id}`).digest('base64url');
    rewrite(text, key, id);
  }
  return against.length;
}

function cleanMetadata(db: Db, policy: Policy, dataset: Dataset): number {
  const rewrite = command(db, 'UPDATE _answer_metadata SET value = ? WHERE rowid = ?');
  const drop = command(db, 'DELETE FROM _answer_metadata WHERE rowid = ?');
  const against = metadataAgainst(db, policy, dataset);
  for (const { id, value } of against) {
    if (value === undefined) drop(id);
    else rewrite(value, id);
  }
  return against.length;
}

/** How much the file holds that a policy does not allow. */
export function againstPolicy(db: Db, settings: PolicySettings): { table: string; rows: number }[] {
  const policy = policyOf(settings, true);
  return policy === undefined ? [] : countAgainst(db, policy);
}

/**
 * Makes sure that nothing is added to a file with what the policy does not allow.
 * @throws WarehouseError PRIVACY_CHANGED
 */
export function requirePolicy(db: Db, settings: PolicySettings, now: number): void {
  refuseOtherKey(db, settings);
  const open = notYetApplied(db, settings);
  const against = open.length === 0 ? [] : againstPolicy(db, settings);
  if (against.length > 0) {
    const where = against.map(({ table, rows }) => `${counted(rows, 'row')} of ${table}`).join(', ');
    throw new WarehouseError(
      'PRIVACY_CHANGED',
      `The configuration no longer lets ${open.join(' and ')} be stored as it comes, and ${where} still hold what was stored before. Nothing was read or written.`,
      { hint: 'Run `hsw privacy --clean`: it applies the policy to them and rewrites the file.' },
    );
  }
  noteApplied(db, settings, now);
}

function refuseOtherKey(db: Db, settings: PolicySettings): void {
  if (!hasOtherKey(db, settings)) return;
  throw new WarehouseError(
    'PRIVACY_CHANGED',
    `The pseudonyms in ${db.name} were made with another key than that of privacy.key, so the same people would get different ones. Nothing was read or written.`,
    {
      hint: 'Restore the former key file, or set warehouse.path to a new file, which is then read from the beginning.',
    },
  );
}
