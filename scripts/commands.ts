import type { Command } from 'commander';
import { helpOf, loadProgram } from './command-model.ts';

/** The help of every command as Markdown. */
export async function commandsText(): Promise<string> {
  const program = await loadProgram();
  return [program, ...program.commands].map(section).join('\n\n');
}

function section(command: Command): string {
  const name = command.parent === null ? 'hsw' : `hsw ${command.name()}`;
  return `## ${name}\n\n\`\`\`text\n${helpOf(command).trim()}\n\`\`\``;
}
