import type { CommandModel, Flag } from './command-model.ts';

/** The manual page hsw(1), in the macros of man(7). */
export function manPage(
  program: CommandModel,
  commands: readonly CommandModel[],
  { version, date }: { readonly version: string; readonly date: string },
): string {
  const [examples = '', statuses = ''] = program.notes.split('\n\nExit status: ');
  return `${[
    `.\\" Written by \`npm run docs\`, do not edit.`,
    `.TH HSW 1 ${date} "hyperstudy-warehouse ${version}" "User Commands"`,
    '.SH NAME',
    `hsw \\- ${plain(program.description.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B hsw`,
    `.RI [ options ]`,
    `.I command`,
    `.RI [ arguments ]`,
    '.SH OPTIONS',
    'These go with every command.',
    ...program.flags.flatMap(flagText),
    '.SH COMMANDS',
    ...commands.flatMap(commandText),
    '.SH FILES',
    ...FILES.flatMap(([file, text]) => ['.TP', `.I ${escaped(file)}`, plain(text)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, text]) => ['.TP', `.B ${escaped(name)}`, plain(text)]),
    '.SH EXAMPLES',
    ...notesText(examples.replace(/^Examples:\n/, '')).slice(1),
    '.SH EXIT STATUS',
    ...statuses.split(/\s*·\s*/).flatMap((status) => ['.TP', ...status.split(/ (.*)/, 2).map(plain)]),
    '.SH SEE ALSO',
    'The pages in the folder',
    '.I docs',
    'of the package, and',
    '.BR systemd (1),',
    '.BR sqlite3 (1).',
  ].join('\n')}\n`;
}

const FILES = [
  ['./config.yaml', 'The configuration; where there is none, the next one.'],
  ['/etc/hyperstudy-warehouse/config.yaml', 'The configuration of the service.'],
] as const;

const ENVIRONMENT = [
  ['HYPERSTUDY_API_KEY', 'The key of the API, where the configuration names no file that holds it.'],
  ['HSW_DEBUG', 'With 1, internal errors say where in the program they happened.'],
] as const;

function commandText({ name, description, usage, flags, notes }: CommandModel): string[] {
  return [
    `.SS hsw ${escaped(name)}`,
    `.B ${escaped(usage)}`,
    '.PP',
    plain(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`),
    ...flags.filter(({ long }) => long !== '--help').flatMap(flagText),
    ...notesText(notes),
  ];
}

function flagText({ long, short, description, value }: Flag): string[] {
  const names = [short, long].flatMap((name) => (name === undefined ? [] : [`\\fB${escaped(name)}\\fR`])).join(', ');
  return ['.TP', `${names}${value === undefined ? '' : ` \\fI${escaped(value.name)}\\fR`}`, plain(description)];
}

/** Paragraphs; lines that are indented stay as they are. */
function notesText(notes: string): string[] {
  const blocks: { isKept: boolean; lines: string[] }[] = [];
  for (const paragraph of notes.split(/\n{2,}/)) {
    let block: { isKept: boolean; lines: string[] } | undefined;
    for (const line of paragraph.split('\n').filter((text) => text.trim() !== '')) {
      const isKept = line.startsWith('  ');
      if (block?.isKept !== isKept) blocks.push((block = { isKept, lines: [] }));
      block.lines.push(line);
    }
  }
  return blocks.flatMap(({ isKept, lines }) =>
    isKept ? ['.PP', '.nf', ...lines.map(escaped), '.fi'] : ['.PP', ...lines.map(plain)],
  );
}

/** Prose: what is between backticks is bold. */
function plain(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '\\fB$1\\fR');
}

/** Text that roff takes as it is. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^ -~]/gu, (sign) => `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(/^([.'])/, '\\&$1');
}
