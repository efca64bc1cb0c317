import type { CommandModel, Flag, Values } from '../command-model.ts';

/** Completes the command line in zsh, from a folder of \`fpath\` or sourced. */
export function zshCompletion(program: CommandModel, commands: readonly CommandModel[]): string {
  const global = program.flags.map(spec);
  const names = commands.map(({ name, description }) => `        ${quoted(`${name}:${description}`)}`);
  const cases = commands.map(({ name, flags, places }) => {
    const all = [
      ...flags.map(spec),
      ...global,
      ...places.map(({ name: place, values }) => `:${place}:${action(values)}`),
    ];
    return `        ${name})\n          _arguments -s \\\n${all.map((one) => `            ${quoted(one)}`).join(' \\\n')}\n          ;;`;
  });
  return `#compdef hsw hyperstudy-warehouse
# zsh completion for hsw; written by \`npm run docs\`, do not edit.
_hsw() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands
  _arguments -C -s \\
${global.map((one) => `    ${quoted(one)} \\`).join('\n')}
    '1: :->command' '*:: :->rest'
  case $state in
    command)
      commands=(
${names.join('\n')}
      )
      _describe command commands
      ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == _hsw ]]; then _hsw "$@"; else compdef _hsw hsw hyperstudy-warehouse; fi
`;
}

function spec({ long, short, description, isRepeatable, value }: Flag): string {
  const takes = value === undefined ? '' : `:${value.name}:${action(value.values)}`;
  const text = description.replace(/[[\]\\:]/g, (sign) => `\\${sign}`);
  const excluded = isRepeatable ? '*' : short === undefined ? '' : `(${short} ${long})`;
  return `${excluded}${long}[${text}]${takes}`;
}

function action(values: Values): string {
  if (values === 'files') return '_files';
  return values === 'any' ? ' ' : `(${values.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
