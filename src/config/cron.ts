/** The least and greatest number of each field, and the names that may stand for numbers there. */
const FIELDS: readonly { readonly least: number; readonly most: number; readonly names?: string }[] = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  { least: 0, most: 7, names: 'sun mon tue wed thu fri sat' },
];

/** Whether a text is a cron expression of five fields, or of six that begin with seconds. */
export function isCron(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) return false;
  const rules = FIELDS.slice(FIELDS.length - fields.length);
  return fields.every((field, i) => field.split(',').every((part) => isPart(part, rules[i])));
}

/** A number, a range or a star, each with or without a step. */
function isPart(part: string, rule: (typeof FIELDS)[number] | undefined): boolean {
  const match = /^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/i.exec(part);
  if (match === null || rule === undefined) return false;
  const [, from, to, step] = match;
  const numbers = [from, to].filter((bound) => bound !== undefined).map((bound) => numberOf(bound, rule));
  return (
    numbers.every((number) => number >= rule.least && number <= rule.most) &&
    (numbers[0] ?? 0) <= (numbers[1] ?? Infinity) &&
    (step === undefined || Number(step) > 0)
  );
}

function numberOf(text: string, { least, names = '' }: (typeof FIELDS)[number]): number {
  const at = names.split(' ').indexOf(text.toLowerCase());
  return at === -1 ? Number(text) : at + least;
}
