import type { Certificate } from '../export/certificate/certificate.ts';
import { readCertificate } from '../export/certificate/read.ts';
import { WarehouseError } from '../shared/errors.ts';
import { formatTime } from '../shared/time.ts';
import { plainError } from '../warehouse/open.ts';
import type { CommandContext } from './context.ts';
import { titles } from './experiment-names.ts';
import { experimentsIn, openSource, withNames } from './source.ts';

/** The certificate of an experiment that is named by its id or name, or that is the only one. */
export function certificateOf(
  context: CommandContext,
  { experiment, warehouse }: { readonly experiment?: string | undefined; readonly warehouse?: string | undefined },
): Certificate {
  const { db, positions } = openSource(context, warehouse);
  try {
    // All numbers are those of one state of the data.
    db.exec('BEGIN');
    const ids = experimentsIn(db, positions(), experiment === undefined ? [] : [experiment]);
    const [id = '', ...others] = ids;
    if (others.length > 0)
      throw new WarehouseError('USAGE', 'The warehouse has more than one experiment.', {
        hint: `Add --experiment with one of: ${titles(withNames(db, ids))}.`,
      });
    return readCertificate(db, { experiment: id, positions: positions(), madeAt: formatTime(Date.now()) });
  } catch (error) {
    throw plainError(db.name, error) ?? error;
  } finally {
    db.close();
  }
}

/** An id as part of a file's name on every file system. */
export function fileName(id: string): string {
  return id.replace(/[^\w.-]/g, '_').slice(0, 100);
}
