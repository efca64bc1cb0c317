/** The little of Markdown that the checks of the documents need. */

/** A fenced code block; the words after its language say how it is meant. */
export interface CodeBlock {
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
  /** What the block prints: the block of `text` right behind it. */
  readonly output: string | undefined;
}

const FENCE = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```$/gm;
const OUTPUT = /^\n\n```text\n([\s\S]*?)^```$/m;

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(FENCE)].map((found) => {
    const { index, 1: language = '', 2: words = '', 3: text = '' } = found;
    const behind = OUTPUT.exec(markdown.slice(index + found[0].length));
    return {
      line: markdown.slice(0, index).split('\n').length,
      language,
      words: words.split(/\s+/).filter((word) => word !== ''),
      text,
      output: behind?.index === 0 ? behind[1] : undefined,
    };
  });
}

/** Where the links and pictures of a page lead. */
export function linkTargets(markdown: string): string[] {
  const prose = markdown.replace(FENCE, '').replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)];
  return [...inline, ...defined].map(({ 1: target = '' }) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const { 1: heading = '' } of markdown.replace(FENCE, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let i = 1; found.has(anchor); i++) anchor = `${slug}-${i}`;
    found.add(anchor);
  }
  return found;
}
