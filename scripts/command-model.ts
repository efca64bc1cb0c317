import { Command } from 'commander';
import { describeCommands } from '../src/cli/program.ts';
import { outputTo } from '../src/cli/terminal.ts';
import { DATA_TYPES } from '../src/datasets/registry.ts';

/** What may be written in a place: names of files, one of some words, or anything. */
export type Values = 'files' | 'any' | readonly string[];

export interface Flag {
  readonly long: string;
  readonly short?: string;
  readonly description: string;
  readonly isRepeatable: boolean;
  /** What it takes; undefined for one that takes nothing. */
  readonly value?: { readonly name: string; readonly values: Values };
}

/** A command of the program, or the program itself. */
export interface CommandModel {
  readonly name: string;
  readonly description: string;
  readonly usage: string;
  readonly flags: readonly Flag[];
  readonly places: readonly { readonly name: string; readonly values: Values }[];
  /** The help below the flags. */
  readonly notes: string;
}

/** The program with every command. */
export async function loadProgram(): Promise<Command> {
  const program = new Command();
  await describeCommands(program, () => Promise.resolve(), outputTo(process.stderr));
  return program;
}

/** The program and its commands as values, of which completions and the manual page are made. */
export async function commandModels(): Promise<{ program: CommandModel; commands: readonly CommandModel[] }> {
  const program = await loadProgram();
  return { program: modelOf(program), commands: program.commands.map(modelOf) };
}

function modelOf(command: Command): CommandModel {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    usage: help.commandUsage(command),
    flags: help.visibleOptions(command).map(({ long, short, flags, description, defaultValue }) => {
      const [, name] = /<(.+)>/.exec(flags) ?? [];
      return {
        long: long ?? '',
        ...(short === undefined ? {} : { short }),
        description: defaultValue === undefined ? description : `${description} (default: ${String(defaultValue)})`,
        isRepeatable: description.includes('can be repeated'),
        ...(name === undefined ? {} : { value: { name, values: valuesOf(name, description) } }),
      };
    }),
    places: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      values: wordsIn(argument.description) ?? valuesOf(argument.name(), argument.description),
    })),
    notes: notesOf(command),
  };
}

const FILES: ReadonlySet<string> = new Set(['file', 'folder', 'path', 'place', 'before', 'after']);

function valuesOf(name: string, description: string): Values {
  if (FILES.has(name)) return 'files';
  if (name === 'type') return DATA_TYPES;
  if (name === 'format') return wordsIn(description.split(/;| with /)[0] ?? '') ?? 'any';
  return 'any';
}

/** The words of a description that is nothing but a list of them, such as `md, html or csv`. */
function wordsIn(description: string): readonly string[] | undefined {
  const words = description.trim().split(/, | or /);
  return words.every((word) => /^[a-z][a-z-]*$/.test(word)) ? words : undefined;
}

/** All help is made for this many columns, whatever the terminal of who makes it. */
const COLUMNS = 100;

/** The help as `--help` prints it, without colours. */
export function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHelpWidth: () => COLUMNS,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return help;
}

function notesOf(command: Command): string {
  return helpOf(command).slice(command.helpInformation().length).trim();
}
