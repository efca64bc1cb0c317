/**
 * A function that replaces known words in texts, wherever they are: in sentences, in JSON and in names. A number is only
 * replaced where it is all of the text, and a short word only where it stands by itself, as it may be a part of any.
 */
export function replacerOf(words: Iterable<string>, instead: (word: string) => string): (text: string) => string {
  const whole = new Set<string>();
  const byStart = new Map<string, Known[]>();
  for (const word of words) {
    if (word === '' || whole.has(word)) continue;
    whole.add(word);
    if (/^[\d.,-]*$/.test(word) || word.length < 2) continue;
    for (const form of formsOf(word)) {
      const start = form.slice(0, START);
      const known = { form, standsAlone: form.length < LONG, word };
      byStart.set(start, [...(byStart.get(start) ?? []), known]);
    }
  }
  // A longer word may begin with a shorter one.
  for (const all of byStart.values()) all.sort((a, b) => b.form.length - a.form.length);
  return remembering((text) => (whole.has(text) ? instead(text) : scan(text, byStart, instead)));
}

interface Known {
  readonly form: string;
  readonly standsAlone: boolean;
  readonly word: string;
}

/** Words are found by so many of their first characters. */
const START = 2;

/** A word of this length is hardly a part of another by chance. */
const LONG = 8;

/** A word as it is, as JSON writes it, and as an address does. */
function formsOf(word: string): Set<string> {
  return new Set([word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word.toWellFormed())]);
}

function scan(text: string, byStart: ReadonlyMap<string, readonly Known[]>, instead: (word: string) => string): string {
  let done = 0;
  let made = '';
  for (let at = 0; at < text.length;) {
    const found = byStart.get(text.slice(at, at + START))?.find((known) => isAt(text, at, known));
    if (found === undefined) at += 1;
    else {
      made += text.slice(done, at) + instead(found.word);
      at += found.form.length;
      done = at;
    }
  }
  return done === 0 ? text : made + text.slice(done);
}

function isAt(text: string, at: number, { form, standsAlone }: Known): boolean {
  if (!text.startsWith(form, at)) return false;
  return !standsAlone || !(isLetter(text[at - 1]) || isLetter(text[at + form.length]));
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{N}]/u.test(char);
}

/** Codes and ids come again and again; so many of them are remembered. */
const REMEMBERED = 10_000;

/** Longer texts hardly come twice. */
const SHORT = 200;

function remembering(change: (text: string) => string): (text: string) => string {
  let known = new Map<string, string>();
  return (text) => {
    if (text.length > SHORT) return change(text);
    const found = known.get(text);
    if (found !== undefined) return found;
    const changed = change(text);
    if (known.size >= REMEMBERED) known = new Map();
    known.set(text, changed);
    return changed;
  };
}
