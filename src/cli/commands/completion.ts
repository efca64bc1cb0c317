import { readFileSync } from 'node:fs';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { packaged } from '../../shared/package.ts';
import type { Command, Describe } from '../context.ts';

/** The script of each shell, which `npm run docs` writes. */
const SCRIPTS: Readonly<Record<string, string>> = { bash: 'hsw.bash', zsh: '_hsw', fish: 'hsw.fish' };

export const describe: Describe = (program, run) => {
  program
    .argument('[shell]', 'bash, zsh or fish')
    .addHelpText(
      'after',
      `
Then commands, flags, data types and formats are completed by the Tab key, in new terminals.

Examples:
  hsw completion bash > ~/.local/share/bash-completion/completions/hsw    with the package bash-completion
  hsw completion bash > ~/.hsw.bash && echo '. ~/.hsw.bash' >> ~/.bashrc  without it
  hsw completion zsh > ~/.hsw.zsh && echo '. ~/.hsw.zsh' >> ~/.zshrc      after compinit
  hsw completion fish > ~/.config/fish/completions/hsw.fish`,
    )
    .action((shell?: string) => run(completion, { shell }));
};

/** `hsw completion`: the script with which a shell completes the command line. */
const completion: Command<{ readonly shell: string | undefined }> = ({ stdout, json }, { shell }) => {
  const script = shell !== undefined && Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new WarehouseError(
      'USAGE',
      shell === undefined ? 'Name the shell.' : `There is no completion for ${shell}.`,
      {
        hint: `The shells are: ${Object.keys(SCRIPTS).join(', ')}.`,
      },
    );
  const text = readFileSync(packaged('completions', script), 'utf8');
  stdout.write(json ? `${JSON.stringify({ shell, script: text })}\n` : text);
  return Promise.resolve(EXIT.ok);
};
