/**
 * Characters that do something where they are shown instead of being seen: control characters (C0, DEL and C1, with
 * which a text sets a terminal's title or clipboard), marks that turn the direction of what follows, and the separators
 * of lines and paragraphs that some programs take for line breaks. Tab and line break are dealt with apart.
 */
// eslint-disable-next-line no-control-regex -- these are what it is about
const ACTIVE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const BREAKS = /[\t\n]/g;

/**
 * Shows each character that would act as its escape, such as `\u001b`. In a JSON text these are within strings only,
 * and the escape means the same character.
 */
export function cleanText(text: string): string {
  return text.replace(ACTIVE, escaped);
}

/** Likewise what belongs on one line, whose line breaks could pass for lines of ours. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(BREAKS, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
