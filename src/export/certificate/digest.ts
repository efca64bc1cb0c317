import { createHash, hash } from 'node:crypto';
import type { Dataset } from '../../datasets/define.ts';
import { canonicalJson, type Json } from '../../shared/json.ts';
import type { Db } from '../../warehouse/open.ts';
import { records } from '../../warehouse/records.ts';

const BYTES = 32;

export interface Digest {
  readonly rows: number;
  /** SHA-256 in hexadecimal digits. */
  readonly sha256: string;
}

/** Takes records one by one, and gives the digest of all of them. Holds 36 bytes a record in memory. */
export interface Digesting {
  add(record: Json): void;
  end(): Digest;
}

/**
 * The SHA-256 of each record, as JSON without spaces and with sorted keys; these, sorted, as lines of hexadecimal digits;
 * and the SHA-256 of those lines. It depends neither on the order of the records nor on the keys of the tables, so that
 * it can be computed from an NDJSON export as well.
 */
export function beginDigest(): Digesting {
  let hashes = Buffer.alloc(1024 * BYTES);
  let rows = 0;
  return {
    add(record) {
      if (rows * BYTES === hashes.length) hashes = Buffer.concat([hashes, Buffer.alloc(hashes.length)]);
      hash('sha256', canonicalJson(record), 'buffer').copy(hashes, rows * BYTES);
      rows++;
    },
    end() {
      const at = (row: number) => row * BYTES;
      const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) =>
        hashes.compare(hashes, at(b), at(b) + BYTES, at(a), at(a) + BYTES),
      );
      const whole = createHash('sha256');
      for (const row of order) whole.update(`${hashes.toString('hex', at(row), at(row) + BYTES)}\n`);
      return { rows, sha256: whole.digest('hex') };
    },
  };
}

/** The digest of all records of a data type in an experiment. */
export function digestOf(db: Db, dataset: Dataset, experimentId: string): Digest {
  const digest = beginDigest();
  for (const { record } of records(db, dataset, [experimentId])) digest.add(record);
  return digest.end();
}
