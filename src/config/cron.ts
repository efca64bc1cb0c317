/** The smallest and largest number of a field, and the names that may replace numbers there. */
interface Field {
  readonly least: number;
  readonly most: number;
  readonly names?: string;
}

const FIELDS = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  { least: 0, most: 7, names: 'sun mon tue wed thu fri sat' },
] as const satisfies Field[];

/** Whether a string is a cron expression of five fields, or of six that start with seconds. */
export function isCron(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) return false;
  const rules = FIELDS.slice(FIELDS.length - fields.length);
  if (!fields.every((field, i) => field.split(',').every((part) => isPart(part, rules[i])))) return false;
  const [days = '', months = ''] = fields.slice(-3);
  const longest = Math.max(...numbersOf(months, FIELDS[4]).map((month) => LONGEST[month - 1] ?? 0));
  return Math.min(...numbersOf(days, FIELDS[3])) <= longest;
}

/** The days of each month: there is no 30th of February. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The numbers that a field stands for. */
function numbersOf(field: string, rule: Field): number[] {
  return field.split(',').flatMap((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from = '', to = from] = range.split('-');
    const [first, last] = range === '*' ? [rule.least, rule.most] : [numberOf(from, rule), numberOf(to, rule)];
    const count = Math.floor((last - first) / Number(step)) + 1;
    return Array.from({ length: count }, (_, i) => first + i * Number(step));
  });
}

/** A number, or a range or a star, either with or without a step. */
function isPart(part: string, rule: Field | undefined): boolean {
  const match = /^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/i.exec(part);
  if (match === null || rule === undefined) return false;
  const [, from, to, step] = match;
  const numbers = [from, to].filter((bound) => bound !== undefined).map((bound) => numberOf(bound, rule));
  return (
    numbers.every((number) => number >= rule.least && number <= rule.most) &&
    (numbers[0] ?? 0) <= (numbers[1] ?? Infinity) &&
    (step === undefined || (Number(step) > 0 && (from === undefined || to !== undefined)))
  );
}

function numberOf(text: string, { least, names = '' }: Field): number {
  const at = names.split(' ').indexOf(text.toLowerCase());
  return at === -1 ? Number(text) : at + least;
}
