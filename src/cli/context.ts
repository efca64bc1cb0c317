import { fstatSync } from 'node:fs';
import type { Command as Program } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { secretsOf } from '../config/secrets.ts';
import { DATA_TYPE_OPTIONS } from '../datasets/registry.ts';
import { createLog, type Log } from '../shared/log.ts';
import type { Output } from './terminal.ts';

/** What every command receives. */
export interface CommandContext {
  /** One JSON document on stdout instead of text for people. */
  readonly json: boolean;
  readonly configPath: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command; returns the exit status. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<number>;

/** Adds the flags, the help and the action of a command. */
export type Describe = (program: Program, run: Run) => void;

/** Runs a command; a service that is stopped exits with status 0. */
export type Run = <Flags>(command: Command<Flags>, flags: Flags, kind?: 'command' | 'service') => Promise<void>;

/** How the command line is called here: in a checkout its own script says so, and npm that it was npx. */
export function commandName({ env }: Pick<CommandContext, 'env'>): string {
  return env['HSW_COMMAND'] ?? (env['npm_command'] === 'exec' ? 'npx hsw' : 'hsw');
}

/** @param needsSecrets whether the command needs the secrets of the alerts and the dashboard. */
export function readConfig(context: CommandContext, needsKey: boolean, needsSecrets = false): Config {
  return loadConfig({
    path: context.configPath,
    env: context.env,
    dataTypes: DATA_TYPE_OPTIONS,
    needsKey,
    needsSecrets,
  });
}

/**
 * A log on stderr, as configured; `level` overrides it.
 * @param secrets receives those of the configuration; secrets added to it later are hidden too.
 */
export function openLog(
  context: CommandContext,
  config: Config,
  level = config.log.level,
  secrets = new Set<string>(),
): Log {
  const pretty = config.log.pretty === 'auto' ? context.stderr.stream.isTTY : config.log.pretty;
  for (const secret of secretsOf(config)) secrets.add(secret);
  return createLog({ level, pretty, secrets });
}

/** Whether stderr is systemd's journal: `JOURNAL_STREAM` then names its device and inode (systemd.exec(5)). */
export function isJournal(env: CommandContext['env']): boolean {
  const { dev, ino } = fstatSync(2);
  return env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}
