import { resolve } from 'node:path';
import { statSync } from 'node:fs';
import { z } from 'zod';
import { namesOfFields, policyField, whyNeeded } from '../datasets/policy-fields.ts';
import { group } from './fields.ts';
import { readSecretFile, type SecretFound } from './key.ts';
import { nearest } from './suggest.ts';

/** What is not stored of what HyperStudy sends, and what only as a pseudonym. */
export function privacySchema() {
  const fields = z.array(field(), 'must be a list of fields, such as [participants.email]').default([]);
  return group({
    drop: fields.describe(
      'Fields that are never stored, such as `participants.email`; a member of an object as `events.response.name`, and a field that no data type declares as `participants.extra.nickname`.',
    ),
    pseudonymise: fields.describe(
      'Fields of which only a pseudonym is stored, the same for the same value in every table. It needs `key`.',
    ),
    key: z
      .string('must be a path')
      .min(1, 'must be a path')
      .optional()
      .describe(
        'The file with the key of the pseudonyms, readable by its owner alone (chmod 600), relative to the folder of the configuration file. `hsw privacy --new-key` makes it. Keep a copy away from the warehouse: without it no pseudonym can be made again.',
      ),
  }).superRefine(({ drop, pseudonymise, key }, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    pseudonymise.forEach((name, i) => {
      if (drop.includes(name)) issue(['pseudonymise', i], `${name} is also under drop: name it once`);
      const kind = policyField(name)?.spec?.kind;
      if (kind !== undefined && kind !== 'text' && kind !== 'any')
        issue(
          ['pseudonymise', i],
          `${name} is not text, so it cannot have a pseudonym: drop it${kind === 'json' ? ', or name a member of it' : ''}`,
        );
    });
    if (pseudonymise.length > 0 && key === undefined)
      issue(
        ['pseudonymise'],
        'needs privacy.key, a file with the key of the pseudonyms; `hsw privacy --new-key` makes it',
      );
  });
}

function field() {
  return z.string('must be a field such as participants.email').superRefine((name, context) => {
    const found = policyField(name);
    const why = found === undefined ? undefined : whyNeeded(found);
    const message = found === undefined ? unknownField(name) : why === undefined ? undefined : `${name} ${why}`;
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function unknownField(name: string): string {
  const names = namesOfFields();
  const [data = '', ...rest] = name.split('.');
  const own = names.filter((one) => one.startsWith(`${data}.`)).map((one) => one.slice(data.length + 1));
  const field = rest.join('.');
  // The data type is in all of its names: it counts as little, or any field would be near.
  const near = nearest(
    `---${field}`,
    own.map((one) => `---${one}`),
  )?.slice(3);
  const full = own.length === 0 ? nearest(name, names) : near === undefined ? near : `${data}.${near}`;
  if (full !== undefined) return `unknown field "${name}", did you mean "${full}"?`;
  if (own.length === 0 || field === '')
    return `unknown field "${name}": write the data type and the field, such as participants.email`;
  return `unknown field "${name}"; ${data} has ${own.join(', ')}; one that no data type declares is written ${data}.extra.${field}`;
}

/** Shorter keys can be tried. */
const SHORTEST_KEY = 40;

/** The key of the pseudonyms, or what is wrong with its file, in words that do not contain it. */
export function readPrivacyKey(folder: string, file: string): SecretFound {
  const path = resolve(folder, file);
  const found = readSecretFile(path, 'the file');
  if (!('secret' in found)) {
    const isMissing = statSync(path, { throwIfNoEntry: false }) === undefined;
    return isMissing
      ? {
          problem: `there is no file ${path}: \`hsw privacy --new-key\` makes one; if there was one, restore it, as another key makes different pseudonyms`,
        }
      : found;
  }
  if ((statSync(path).mode & 0o077) !== 0) return { problem: `others can read ${path}: run chmod 600 on it` };
  if (found.secret.length < SHORTEST_KEY || !/^[\w+/=.:-]+$/.test(found.secret))
    return {
      problem: `${path} does not hold a key: a key is a line of at least ${SHORTEST_KEY} letters and digits; \`hsw privacy --new-key\` makes one`,
    };
  return found;
}
