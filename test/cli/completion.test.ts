import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { DATA_TYPES } from '../../src/datasets/registry.ts';
import { hsw } from '../support/command.ts';

const TOP = join(import.meta.dirname, '..', '..');

/** Runs a program at the top of the checkout; undefined where it is missing. */
function run(program: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { cwd: TOP, encoding: 'utf8', timeout: 20_000 });
  return error === undefined ? `${stdout}${stderr}` : undefined;
}

function has(program: string, ...version: readonly string[]): boolean {
  const isThere = run(program, version) !== undefined;
  if (!isThere) console.log(`SKIPPED: ${program} is not installed.`);
  return isThere;
}

describe('hsw completion', () => {
  it('prints the script of a shell, and refuses another', async () => {
    const { status, stdout } = await hsw(['completion', 'bash'], { cwd: TOP });
    expect([status, stdout]).toEqual([0, readFileSync(join(TOP, 'completions', 'hsw.bash'), 'utf8')]);
    const none = await hsw(['completion'], { cwd: TOP });
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('The shells are: bash, zsh, fish.')]);
    const other = await hsw(['completion', 'constructor'], { cwd: TOP });
    expect([other.status, other.stdout, other.stderr]).toEqual([2, '', expect.stringContaining('bash, zsh, fish')]);
  });
});

describe.skipIf(!has('bash', '--version'))('in bash', () => {
  /** What is offered for the last of some words. */
  const offered = (...words: readonly string[]) =>
    run('bash', [
      '-c',
      '. completions/hsw.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hsw; printf "%s\\n" "${COMPREPLY[@]}"',
      'bash',
      'hsw',
      ...words,
    ])
      ?.split('\n')
      .filter((word) => word !== '');

  it.each([
    [['st'], ['status']],
    [['--config', 'any', 'st'], ['status']],
    [['sync', ''], ['now']],
    [['sync', 'now', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['export', '--format', ''],
      ['ndjson', 'csv'],
    ],
    [['export', '--format', '=', 'c'], ['csv']],
    [
      ['export', '--format', '='],
      ['ndjson', 'csv'],
    ],
    [
      ['codebook', '--format', ''],
      ['md', 'html', 'csv', 'datasette'],
    ],
    [['sync', '--data', 'chat', '--fu'], ['--full']],
    [
      ['plan', '--data', 'ratings/'],
      ['ratings/continuous', 'ratings/sparse'],
    ],
    [['--config', 'package.j'], ['package.json']],
    [['diff', 'any', 'package.j'], ['package.json']],
    [['status', '--experiment', ''], []],
    [['nothing', ''], []],
  ])('%j offers %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('every command and data type is offered', () => {
    expect(offered('')).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
    expect(offered('export', '--data', '')).toEqual(DATA_TYPES);
  });
});

describe.skipIf(!has('zsh', '--version'))('in zsh', () => {
  it('the Tab key completes commands, values, files and flags', () => {
    const typed = [
      'hsw codeb\\t --fo\\thtm\\t\\n',
      'hsw --config package.j\\tsync n\\t\\n',
      'hsw sync --data chat --ful\\t\\n',
    ];
    const script = `zmodload zsh/zpty
zpty z "zsh -f -i"
zpty -w z "PS1=; autoload -U compinit; compinit -u -D; . completions/_hsw; hsw() { print RAN:\\"\\$@\\" }; print REA''DY"
zpty -r z out '*READY*'
${typed.map((keys) => `zpty -n -w z $'${keys}'; zpty -r z out '*RAN:*\n*'; print -r -- "$out"`).join('\n')}`;
    expect(run('zsh', ['-f', '-c', script])?.match(/RAN:.*[^\r\n]/g)).toEqual([
      'RAN:codebook --format html',
      'RAN:--config package.json sync now',
      'RAN:sync --data chat --full',
    ]);
  });
});

describe.skipIf(!has('fish', '--version'))('in fish', () => {
  it.each([
    ['hsw sta', ['status']],
    ['./hsw sta', ['status']],
    ['hyperstudy-warehouse sta', ['status']],
    ['hsw --config any sta', ['status']],
    ['hsw sync ', ['now']],
    ['hsw export --format ', ['csv', 'ndjson']],
    ['hsw sync --data chat --fu', ['--full']],
    ['hsw diff any package.j', ['package.json']],
    ['hsw status --experiment ', []],
  ])('%j offers %j', (line, expected) => {
    const offered = run('fish', ['-c', 'source completions/hsw.fish; complete -C $argv[1]', line]);
    expect(offered?.split('\n').flatMap((text) => text.split('\t')[0] || [])).toEqual(expected);
  });
});

describe('the manual page', () => {
  it.skipIf(!has('man', '--version'))('is read by man without a warning, and names every command', () => {
    expect(run('man', ['--warnings', '-E', 'UTF-8', '-Z', '-l', 'man/hsw.1'])).not.toMatch(/^(troff|groff|<standard)/m);
    const page = run('man', ['-E', 'UTF-8', '-P', 'cat', '-l', 'man/hsw.1']);
    for (const { name } of COMMANDS) expect(page).toContain(`hsw ${name}`);
    expect(page).toMatch(/EXIT STATUS\n +0 +success\n[^]*\n +130 +interrupted\n/);
  });

  it.skipIf(!has('mandoc', '-Tlint', '/dev/null'))('has nothing that mandoc warns of', () => {
    expect(run('mandoc', ['-Tlint', '-Wwarning', 'man/hsw.1'])).toBe('');
  });
});
