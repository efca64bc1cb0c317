import { Command as Program, CommanderError } from 'commander';
import { EXIT, interrupted, WarehouseError } from '../shared/errors.ts';
import { cleanLine } from '../shared/clean-text.ts';
import { scrub } from '../shared/log.ts';
import { COMMANDS } from './commands.ts';
import type { CommandContext, Run } from './context.ts';
import { outputTo, type Output } from './terminal.ts';
import { VERSION } from '../shared/version.ts';

/** Runs the command line and returns the exit status. */
export async function main(
  argv: readonly string[],
  host: Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr' | 'on'>,
): Promise<number> {
  const interruption = interruptible(host);
  // A reader that stops early (`hsw export … | head`) is not an error.
  host.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.unwritable),
  );
  // No one reads the progress any more (`hsw sync now 2>&1 >/dev/null | head`): the work goes on.
  host.stderr.on('error', () => undefined);

  let status: number = EXIT.ok;
  const program = new Program();
  const context = (): CommandContext => {
    const { json = false, config } = program.opts<{ json?: boolean; config?: string }>();
    return {
      json,
      configPath: config,
      env: host.env,
      stdin: host.stdin,
      stdout: outputTo(host.stdout),
      stderr: outputTo(host.stderr),
      signal: interruption,
    };
  };
  const run: Run = async (command, flags, kind = 'command') => {
    const ended = await command(context(), flags);
    status = interruption.aborted && kind === 'command' ? EXIT.interrupted : ended;
  };
  try {
    await describeCommands(program, run, outputTo(host.stderr), argv);
    await program.parseAsync([...argv]);
    return status;
  } catch (error) {
    // Commander may have stopped before it reached the option.
    return report(error, argv.includes('--json'), {
      stdout: outputTo(host.stdout),
      stderr: outputTo(host.stderr),
      env: host.env,
    });
  }
}

/** Aborts at the first signal to end; a second one ends the process at once. */
function interruptible(host: Pick<NodeJS.Process, 'on'>): AbortSignal {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    host.on(name, () => {
      if (interruption.signal.aborted) process.exit(EXIT.interrupted);
      interruption.abort(interrupted());
    });
  }
  return interruption.signal;
}

/**
 * Adds the options and the commands with their help.
 * @param named the words among which a command must be to be loaded; by default all are.
 */
export async function describeCommands(
  program: Program,
  run: Run,
  stderr: Output,
  named: readonly string[] = COMMANDS.map(({ name }) => name),
): Promise<void> {
  program
    .name('hsw')
    .description("Keeps an exact, typed, always fresh copy of a lab's HyperStudy data in a local SQLite file.")
    .version(VERSION)
    .option(
      '--config <path>',
      'the configuration file (default: ./config.yaml, then /etc/hyperstudy-warehouse/config.yaml)',
    )
    .option('--json', 'one JSON document on stdout; logs on stderr')
    .exitOverride()
    .configureOutput({ writeErr: (text) => stderr.write(scrub(text)) })
    // The flags of a command are not known before it is loaded.
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() })
    .addHelpText(
      'after',
      `
Examples:
  hsw init                       make a config.yaml by answering a few questions
  hsw sync now                   fetch what is new
  hsw daemon                     keep it fresh, with a dashboard
  hsw status                     what is in the warehouse, and how fresh
  hsw demo                       see it all work without a key

Exit status: 0 success · 1 done, but something failed, is incomplete, was never read or is gone · 2 bad usage or config ·
  3 key refused · 4 cannot write the warehouse · 5 another writer is busy · 130 interrupted`,
    );
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description);
    if (named.includes(name)) (await load())(command, run);
  }
}

/** Prints an error so that a person can act on it, and returns its exit status. */
function report(
  error: unknown,
  json: boolean,
  { stdout, stderr, env }: Pick<CommandContext, 'stdout' | 'stderr' | 'env'>,
): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    const message = error.code === 'commander.help' ? 'No command given.' : scrub(error.message);
    if (json) stdout.write(`${JSON.stringify({ error: { code: 'USAGE', message } })}\n`);
    return EXIT.usage;
  }
  if (error instanceof WarehouseError) {
    const { code } = error;
    const message = scrub(error.message);
    const hint = error.hint === undefined ? undefined : scrub(error.hint);
    if (json) stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
    else {
      // Only the problems of a configuration have lines of their own.
      const said = code === 'CONFIG_INVALID' ? message : cleanLine(message);
      stderr.write(`✗ ${said}\n${hint === undefined ? '' : `  ${cleanLine(hint)}\n`}`);
    }
    return error.exitStatus;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const said = env['HSW_DEBUG'] === '1' ? stack : (stack.split('\n')[0] ?? '');
  stderr.write(
    `✗ Internal error (a bug in hyperstudy-warehouse): ${scrub(said)}\n  Please report it; HSW_DEBUG=1 shows where it happened. The warehouse holds everything that was committed.\n`,
  );
  return EXIT.partial;
}
