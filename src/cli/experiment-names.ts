import { nearest } from '../config/suggest.ts';
import { WarehouseError } from '../shared/errors.ts';
import { foldName } from '../shared/fold-name.ts';

/** An experiment that can be named on the command line. */
export interface KnownExperiment {
  readonly id: string;
  readonly name?: string | undefined;
}

/**
 * The ids that were asked for by id or name, each once, and what is neither. A name counts in any case and without
 * accents where only one experiment has it so.
 * @throws WarehouseError USAGE for a name that several experiments have.
 */
export function idsOf(
  asked: readonly string[],
  known: readonly KnownExperiment[],
): { readonly ids: readonly string[]; readonly unknown: readonly string[] } {
  const found = asked.map((text) => ({ text, id: idOf(text, known) }));
  return {
    ids: [...new Set(found.flatMap(({ id }) => id ?? []))],
    unknown: found.flatMap(({ text, id }) => (id === undefined ? [text] : [])),
  };
}

function idOf(text: string, known: readonly KnownExperiment[]): string | undefined {
  const exact = known.filter(({ id }) => id === text);
  const named = exact.length > 0 ? exact : known.filter(({ name }) => name === text && text !== '');
  const alike = named.length > 0 ? named : known.filter(({ name = '' }) => isAlike(name, text));
  const [one, ...others] = new Set(alike.map(({ id }) => id));
  if (others.length === 0) return one;
  throw new WarehouseError('USAGE', `${others.length + 1} experiments are called ${text}.`, {
    hint: `Name one by its id: ${titles(alike)}.`,
  });
}

function isAlike(name: string, text: string): boolean {
  return foldName(name) !== '' && foldName(name) === foldName(text);
}

/** What may be meant by something unknown, as a question. */
export function meant(unknown: readonly string[], known: readonly KnownExperiment[]): string | undefined {
  const all = known.flatMap(({ id, name }) => (name === undefined || name === '' ? [id] : [id, name]));
  const likely = [...new Set(unknown.flatMap((text) => begunWith(text, all) ?? nearest(text, all) ?? []))];
  return likely.length === 0 ? undefined : `Did you mean ${likely.map((text) => `"${text}"`).join(', ')}?`;
}

/** The only id or name that goes on from a text, as people leave out the end of a long name. */
function begunWith(text: string, all: readonly string[]): string | undefined {
  const begun = foldName(text);
  const [one, ...others] = all.filter((name) => begun !== '' && foldName(name).startsWith(begun));
  return others.length === 0 ? one : undefined;
}

/**
 * What may be meant by something unknown, and what there is.
 * @param lead the words before what there is.
 */
export function suggestion(unknown: readonly string[], known: readonly KnownExperiment[], lead: string): string {
  const question = meant(unknown, known);
  const isLong = known.length > MOST;
  const more = isLong ? ` and ${known.length - MOST} more, which \`hsw status\` lists` : '';
  const has = `${lead}: ${titles(known.slice(0, MOST))}${more}.`;
  return question === undefined ? has : `${question} ${has}`;
}

/** How many experiments a message names. */
const MOST = 20;

/** Ids with their names, as far as they have one. */
export function titles(known: readonly KnownExperiment[]): string {
  return known.map(({ id, name = '' }) => (name === '' ? id : `${id} (${name})`)).join(', ');
}
