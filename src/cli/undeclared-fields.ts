import { existsSync } from 'node:fs';
import { cleanLine } from '../shared/clean-text.ts';
import { counted } from '../shared/count.ts';
import { WarehouseError } from '../shared/errors.ts';
import { requireMigrated } from '../warehouse/migrate.ts';
import { openForReading } from '../warehouse/open.ts';
import { undeclaredFields } from '../warehouse/privacy.ts';

/** Fields in the warehouse that no data type declares; none where there is no warehouse of this version. */
export function undeclaredIn(path: string): string[] {
  if (!existsSync(path)) return [];
  try {
    const db = openForReading(path);
    try {
      requireMigrated(db);
      return undeclaredFields(db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof WarehouseError) return [];
    throw error;
  }
}

/** The most fields that are printed; `--json` has them all. */
const MOST_NAMED = 20;

/** Nothing is wrong with the data, but someone has to look at what the fields hold. */
export function undeclaredText(fields: readonly string[]): string {
  const more = fields.length - MOST_NAMED;
  const named = fields.slice(0, MOST_NAMED).map((field) => cleanLine(field));
  const names = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return `· unknown fields: HyperStudy sends ${counted(fields.length, 'field')} that this version does not know, so it is not known what they reveal about a person; treat them as personal data: ${names}\n`;
}
