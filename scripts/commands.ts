import { Command } from 'commander';
import { describeCommands } from '../src/cli/program.ts';
import { outputTo } from '../src/cli/terminal.ts';

/** The help of every command as Markdown. */
export async function commandsText(): Promise<string> {
  const program = new Command();
  await describeCommands(program, () => Promise.resolve(), outputTo(process.stderr));
  return [program, ...program.commands].map(section).join('\n\n');
}

function section(command: Command): string {
  const name = command.parent === null ? 'hsw' : `hsw ${command.name()}`;
  return `## ${name}\n\n\`\`\`text\n${helpOf(command).trim()}\n\`\`\``;
}

/** As `--help` prints it, on a terminal of 100 columns without colours. */
function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return help;
}
