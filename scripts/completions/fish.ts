import type { CommandModel, Flag, Values } from '../command-model.ts';

/** Completes the command line in fish 3.0 or newer. */
export function fishCompletion(program: CommandModel, commands: readonly CommandModel[]): string {
  const names = commands.map(
    ({ name, description }) => `complete -c hsw -n 'test -z (__hsw_command)' -a ${name} -d ${quoted(description)}`,
  );
  const own = commands.flatMap(({ name, flags, places }) => {
    const here = `complete -c hsw -n ${quoted(`test (__hsw_command) = ${name}`)}`;
    return [
      ...flags.filter(({ long }) => long !== '--help').map((flag) => `${here} ${flagText(flag)}`),
      ...places.flatMap(({ values }) => (values === 'any' ? [] : [`${here} ${choice(values)}`])),
    ];
  });
  return `# fish completion for hsw; written by \`npm run docs\`, do not edit.
function __hsw_command
  set -l words (commandline -opc)
  set -e words[1]
  while set -q words[1]
    switch $words[1]
      case --config
        set -q words[2]; and set -e words[1]
      case '-*'
      case '*'
        echo $words[1]
        return
    end
    set -e words[1]
  end
  echo ''
end

complete -c hsw -f
${[...program.flags.map((flag) => `complete -c hsw ${flagText(flag)}`), ...names, ...own].join('\n')}
complete -c hyperstudy-warehouse -w hsw
`;
}

function flagText({ long, short, description, value }: Flag): string {
  const takes = value === undefined ? '' : ` ${value.values === 'any' ? '-x' : `-r ${choice(value.values)}`}`;
  return `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}${takes} -d ${quoted(description)}`;
}

function choice(values: Exclude<Values, 'any'>): string {
  return values === 'files' ? '-F' : `-f -a ${quoted(values.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (sign) => `\\${sign}`)}'`;
}
