import type { CommandModel, Flag } from '../command-model.ts';

/** Completes the command line in bash 3.2 or newer, without bash-completion. */
export function bashCompletion(program: CommandModel, commands: readonly CommandModel[]): string {
  const cases = commands.flatMap(({ name, flags, places }) => [
    ...flags.flatMap((flag) => valueCase(name, flag)),
    ...places.map(({ values }, n) => `    ${name}::${n}) ${answer(values)} ;;`),
  ]);
  const names = commands.map(({ name }) => name).join(' ');
  const global = program.flags.map(({ long }) => long).join(' ');
  return `# bash completion for hsw; written by \`npm run docs\`, do not edit.
_hsw() {
  local IFS=$' \\t\\n'
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= flags= place=0 i word
  # Bash takes \`--flag=value\` for three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $command:$word in
${commands.map((command) => `      ${valued(command).join(' | ')}) ((i++)) ;;`).join('\n')}
      :--config) ((i++)) ;;
      *:-* | *:=) ;;
      :*) command=$word ;;
      *) ((place++)) ;;
    esac
  done
  COMPREPLY=()
  case $command:$prev in
${[...program.flags.flatMap((flag) => valueCase('*', flag)), ...cases.filter((line) => !line.includes('::'))].join('\n')}
    *)
      case $command in
        '') _hsw_words ${quoted(`${names} ${global}`)} ;;
${commands.map(({ name, flags }) => `        ${name}) flags=${quoted([...flags.map(({ long }) => long), '--config', '--json'].join(' '))} ;;`).join('\n')}
      esac
      if [[ $cur == -* ]]; then _hsw_words "$flags"; return; fi
      case $command::$place in
${cases
  .filter((line) => line.includes('::'))
  .map((line) => `    ${line}`)
  .join('\n')}
      esac
      ;;
  esac
}

_hsw_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_hsw_files() {
  compopt -o default 2>/dev/null && return
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$cur"))
}

complete -F _hsw hsw hyperstudy-warehouse
`;
}

/** The flags that take a value, as patterns. */
function valued({ name, flags }: CommandModel): string[] {
  const taking = ['--config', ...flags.flatMap(({ long, value }) => (value === undefined ? [] : [long]))];
  return taking.map((long) => `${name}:${long}`);
}

function valueCase(command: string, { long, value }: Flag): string[] {
  return value === undefined ? [] : [`    ${command}:${long}) ${answer(value.values)} ;;`];
}

function answer(values: NonNullable<Flag['value']>['values']): string {
  if (values === 'files') return '_hsw_files';
  return values === 'any' ? ':' : `_hsw_words ${quoted(values.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
