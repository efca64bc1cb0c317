import { InvalidArgumentError, type Command as Program } from 'commander';
import type { Command } from './context.ts';

/** Runs a command; a service that is stopped exits with status 0. */
export type Run = (
  command: () => Promise<Command<never>>,
  options: unknown,
  kind?: 'command' | 'service',
) => Promise<void>;

const list = (value: string, previous: string[] = []) => [...previous, value];

function init(program: Program, run: Run): void {
  program
    .command('init')
    .description(
      'ask a few questions, check the key, list its experiments and write config.yaml; never overwrites a file',
    )
    .option('--key-file <path>', 'a file that holds the API key (otherwise HYPERSTUDY_API_KEY, or a prompt)')
    .option('--key-expires <date>', 'when the key expires (a date, or never), so that you are warned a week before')
    .option('--base-url <url>', 'a different API URL')
    .option('--organization <id>', 'the organization whose data to request (otherwise HYPERSTUDY_ORGANIZATION_ID)')
    .option('--experiment <id>', 'an experiment to sync; can be repeated', list)
    .option('--all', 'sync every experiment that the key can see')
    .option('--warehouse <path>', 'the SQLite file to keep')
    .option('--yes', 'ask no questions; use flags and defaults')
    .addHelpText(
      'after',
      `
Examples:
  hsw init
  HYPERSTUDY_API_KEY=… hsw init --yes --all
  hsw init --key-file /run/secrets/hyperstudy --experiment exp_abc123`,
    )
    .action((options: unknown) => run(async () => (await import('./commands/init.ts')).init, options));
}

function doctor(program: Program, run: Run): void {
  program
    .command('doctor')
    .description('check config, key, scopes, network, clock, disk and file permissions, and say what to do')
    .option(
      '--spec',
      "also compare the API's own description with what this version knows; never changes the exit status",
    )
    .addHelpText('after', '\nExamples:\n  hsw doctor\n  hsw doctor --spec')
    .action((options: unknown) => run(async () => (await import('./commands/doctor.ts')).doctor, options));
}

function sync(program: Program, run: Run): void {
  program
    .command('sync')
    .description('bring the warehouse up to date')
    .argument('[when]', 'now', (value: string) => {
      if (value !== 'now') throw new InvalidArgumentError('Did you mean `sync now`?');
      return value;
    })
    .option('--experiment <id>', 'only this experiment; can be repeated', list)
    .option('--data <type>', 'only this data type; can be repeated', list)
    .option('--full', 'read everything again and compare, instead of continuing where the last sync stopped')
    .option('--from <time>', 'read again what is dated from here on: a date or a time, UTC unless it names its zone')
    .option('--to <time>', 'read again what is dated before this; the time itself is not included')
    .option(
      '--dry-run',
      'show streams, expected requests and time under the limits; send no request. With --from or --to: read, show what would change, and write nothing',
    )
    .option('--accept-deletes', 'also delete rows that the delete guard would withhold')
    .option('--accept-schema', 'accept the new fields and types for which streams are stopped (schema: freeze)')
    .addHelpText(
      'after',
      `
Examples:
  hsw sync now
  hsw sync now --experiment exp_abc123 --data events --data ratings/continuous
  hsw sync now --full --json
  hsw sync now --from 2026-03-01 --to 2026-03-08
  hsw sync now --from 2026-03-01T09:30:00+01:00 --data events --dry-run

--from and --to read a range of time again: --to 2026-03-08 ends with the last record of 7 March. Data types that the API
does not filter by time are listed whole, and the last lines say which. A dry run of a range costs as many requests as
the range. Rows that are no longer in the API are marked, and deleted when a later reading misses them as well.`,
    )
    .action((_when: unknown, options: unknown) => run(async () => (await import('./commands/sync.ts')).sync, options));
}

function plan(program: Program, run: Run): void {
  program
    .command('plan')
    .description(
      'show what a sync would read, how many requests it needs and how long it takes under the limits; send no request',
    )
    .option('--experiment <id>', 'only this experiment; can be repeated', list)
    .option('--data <type>', 'only this data type; can be repeated', list)
    .option('--full', 'plan for reading everything again')
    .addHelpText('after', '\nExamples:\n  hsw plan\n  hsw plan --full --data eyetracking')
    .action((options: unknown) => run(async () => (await import('./commands/plan.ts')).plan, options));
}

function daemon(program: Program, run: Run): void {
  program
    .command('daemon')
    .description('keep the warehouse fresh until stopped; the dashboard is at http://127.0.0.1:8788')
    .addHelpText(
      'after',
      `
Stop it with SIGTERM or Ctrl-C. SIGHUP makes it read the configuration again. A new key in the key file is picked up without that.

Example:
  hsw daemon`,
    )
    .action((options: unknown) => run(async () => (await import('./commands/daemon.ts')).daemon, options, 'service'));
}

function verify(program: Program, run: Run): void {
  program
    .command('verify')
    .description('compare the warehouse with the API and report every difference; change nothing without --repair')
    .option('--repair', 'repair the rows that differ')
    .option('--deep', 'compare every record, not just counts')
    .option('--experiment <id>', 'only this experiment; can be repeated', list)
    .option('--data <type>', 'only this data type; can be repeated', list)
    .option('--accept-deletes', 'also delete rows that the delete guard would withhold')
    .addHelpText(
      'after',
      `
Examples:
  hsw verify
  hsw verify --deep --experiment exp_abc123
  hsw verify --repair --json`,
    )
    .action((options: unknown) => run(async () => (await import('./commands/verify.ts')).verify, options));
}

function status(program: Program, run: Run): void {
  program
    .command('status')
    .description('show streams, rows, freshness, completeness, the daemon and how much of the limits is used')
    .addHelpText('after', '\nExamples:\n  hsw status\n  hsw status --json')
    .action((options: unknown) => run(async () => (await import('./commands/status.ts')).status, options));
}

function exporting(program: Program, run: Run): void {
  program
    .command('export')
    .description('stream the records of a data type; ndjson writes each one as the API sent it')
    .requiredOption('--data <type>', 'the data type, such as events or ratings/continuous')
    .option('--experiment <id>', 'only this experiment; can be repeated', list)
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--quarantined', 'also write records that could not be stored as rows (ndjson only)')
    .addHelpText(
      'after',
      `
If the data may be incomplete, stderr says so and the exit status is 1; the data are written all the same.
Quarantined records follow the rows, one a line, as the API sent them:
  {"quarantined":{"experiment":"exp_abc123","scope":"experiment","reason":"not an object","firstSeenAt":"…"},"record":…}

Examples:
  hsw export --data events > events.ndjson
  hsw export --data events --quarantined --out events.ndjson
  hsw export --data ratings/continuous --experiment exp_abc123 --format csv --out ratings.csv`,
    )
    .action((options: unknown) => run(async () => (await import('./commands/export.ts')).exportRecords, options));
}

function installService(program: Program, run: Run): void {
  program
    .command('install-service')
    .description('print the systemd unit for this installation and the commands to set it up, or write it (--install)')
    .option('--timer', 'a timer that runs `hsw sync now` every 15 minutes, instead of the daemon')
    .option('--install', 'write the unit; needs root')
    .option('--force', 'replace a unit that differs, and write it even if it would not work')
    .option('--root <folder>', 'write below this folder instead of /, for building packages and images')
    .addHelpText(
      'after',
      `
Examples:
  hsw install-service
  sudo hsw --config /etc/hyperstudy-warehouse/config.yaml install-service --install
  sudo hsw install-service --timer --install`,
    )
    .action((options: unknown) =>
      run(async () => (await import('./commands/install-service.ts')).installService, options),
    );
}

function alerts(program: Program, run: Run): void {
  program
    .command('alerts')
    .description('send a test message through every alert channel, and say which ones work')
    .argument('<what>', 'test', (value: string) => {
      if (value !== 'test') throw new InvalidArgumentError('Did you mean `alerts test`?');
      return value;
    })
    .addHelpText('after', '\nExamples:\n  hsw alerts test\n  hsw alerts test --json')
    .action((_what: unknown, options: unknown) =>
      run(async () => (await import('./commands/alerts.ts')).testAlerts, options),
    );
}

function demo(program: Program, run: Run): void {
  program
    .command('demo')
    .description('sync three simulated experiments into ./data/demo.db, twice, and show what to query next')
    .option('--out <file>', 'the SQLite file to create', './data/demo.db')
    .addHelpText('after', '\nExample:\n  hsw demo')
    .action((options: unknown) => run(async () => (await import('./commands/demo.ts')).demo, options));
}

function simulator(program: Program, run: Run): void {
  program
    .command('simulator')
    .description('run the built-in API simulator on this computer, to try things out')
    .option('--port <port>', 'the port to listen on', wholeNumber, 8787)
    .option('--seed <seed>', 'the seed of the simulated data', wholeNumber, 1)
    .addHelpText('after', '\nExample:\n  hsw simulator --port 8787')
    .action((options: unknown) => run(async () => (await import('./commands/simulator.ts')).simulator, options));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be an integer.');
  return Number(text);
}

/** Adds each command, with its flags and examples, to the program; its code is loaded when it runs. */
export const COMMANDS: readonly ((program: Program, run: Run) => void)[] = [
  init,
  doctor,
  sync,
  plan,
  verify,
  daemon,
  status,
  exporting,
  installService,
  alerts,
  demo,
  simulator,
];
