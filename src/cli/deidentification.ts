import { existsSync } from 'node:fs';
import { readPrivacyKey } from '../config/privacy.ts';
import type { Treated } from '../export/snapshot/deidentify/deidentify.ts';
import { cleanLine } from '../shared/clean-text.ts';
import { WarehouseError } from '../shared/errors.ts';
import { makePseudonymKey } from './pseudonym-key.ts';

/** The lab's key of pseudonyms, made where there is none yet. @throws WarehouseError USAGE for what is no key. */
export function snapshotKey(file: string): string {
  if (!existsSync(file)) makePseudonymKey(file);
  const found = readPrivacyKey('', file);
  if ('secret' in found) return found.secret;
  throw new WarehouseError('USAGE', `The key of the pseudonyms cannot be used: ${found.problem}`, {
    hint: found.hint ?? 'Name another file with --key.',
  });
}

/** What became of the columns, in words; the manifest has it column by column. */
export function treatmentText(report: readonly Treated[]): string {
  const named = (what: string, isMeant: (of: Treated) => boolean) => {
    const names = [...new Set(report.filter(isMeant).map(({ column }) => column))];
    return names.length === 0 ? '' : `${what}: ${names.map((name) => cleanLine(name)).join(', ')}\n`;
  };
  const dropped = (privacy: string) => (of: Treated) => of.treatment === 'dropped' && of.privacy === privacy;
  return [
    named('Pseudonyms', ({ treatment }) => treatment === 'pseudonyms'),
    named('Onsets instead of times', ({ treatment }) => treatment === 'onsets'),
    named('Left out, as they say who it is', dropped('direct')),
    named('Left out, as they may show who it is', (of) => dropped('indirect')(of) || dropped('none')(of)),
    named('Left out, as people wrote them', dropped('free text')),
    named('Left out, as this version does not know them', dropped('unknown')),
    named(
      'Texts kept, without known ids and names',
      ({ treatment, privacy }) => treatment === 'kept' && privacy === 'free text',
    ),
  ].join('');
}
