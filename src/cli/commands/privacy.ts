import { existsSync } from 'node:fs';
import { readPrivacyKey } from '../../config/privacy.ts';
import type { Config } from '../../config/schema.ts';
import type { PolicySettings } from '../../datasets/policy.ts';
import { openReader } from '../../runtime/reader.ts';
import { warehouseOptions, whileOpen } from '../../runtime/runtime.ts';
import { systemClock } from '../../shared/clock.ts';
import { counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { appliedPolicy, type AppliedPolicy } from '../../warehouse/applied-policy.ts';
import { againstPolicy } from '../../warehouse/clean.ts';
import { openWarehouse, type Erasure } from '../../warehouse/warehouse.ts';
import { askOn } from '../ask.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { makePseudonymKey } from '../pseudonym-key.ts';

interface PrivacyFlags {
  readonly newKey?: boolean;
  readonly clean?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const describe: Describe = (program, run) => {
  program
    .option('--new-key', 'make the file that privacy.key names, with a new key that only its owner can read')
    .option('--clean', 'apply the policy to what was stored before, and rewrite the file')
    .option('--dry-run', 'with --clean: only say what would be changed')
    .option('--yes', 'with --clean: do not ask')
    .addHelpText(
      'after',
      `
\`privacy\` in the configuration says which fields are never stored, and of which only a pseudonym is. Without a flag
this shows them, and what the warehouse still holds from before: then the exit status is 1, and no sync or daemon
starts until --clean was run. Only HyperStudy still has what --clean removes; earlier versions in the history,
malformed records and the file's free pages are cleaned as well. Stop the daemon first.

Examples:
  hsw privacy
  hsw privacy --new-key
  hsw privacy --clean --dry-run`,
    )
    .action((flags: PrivacyFlags) => run(privacyCommand, flags));
};

/** `hsw privacy`: what is not stored as it comes, and what still is. */
const privacyCommand: Command<PrivacyFlags> = async (context, flags) => {
  const config = readConfig(context, false);
  if (flags.clean !== true && (flags.dryRun === true || flags.yes === true))
    throw new WarehouseError('USAGE', '--dry-run and --yes belong to --clean.', { hint: 'Add --clean.' });
  if (flags.newKey === true && flags.clean === true)
    throw new WarehouseError('USAGE', '--new-key and --clean are two commands.', { hint: 'Run them one by one.' });
  if (flags.newKey === true) return newKey(context, config);
  return flags.clean === true ? clean(context, config, flags) : show(context, config);
};

function newKey({ json, stdout }: CommandContext, { path, privacy: { keyFile } }: Config): number {
  if (keyFile === undefined)
    throw new WarehouseError('USAGE', `${path} does not name a file for the key.`, {
      hint: 'Set privacy.key to the file that is to hold it, such as ./privacy.key.',
    });
  if (!makePseudonymKey(keyFile))
    throw new WarehouseError('USAGE', `There is a file ${keyFile} already. Nothing was changed.`, {
      hint: 'With another key, the same people would get different pseudonyms. To start over, move it away and set warehouse.path to a new file.',
    });
  const text = `${keyFile} holds a new key, which only its owner can read.\nKeep a copy away from the warehouse: without it no pseudonym can be made again, and anyone who has it can find out by trial whose pseudonym is whose.\n`;
  stdout.write(json ? `${JSON.stringify({ keyFile }, null, 2)}\n` : text);
  return EXIT.ok;
}

/** @throws WarehouseError CONFIG_INVALID where pseudonyms need a key that cannot be read. */
function settingsOf({ path, privacy }: Config): PolicySettings {
  const { drop, pseudonymise, keyFile } = privacy;
  if (pseudonymise.length === 0 || keyFile === undefined) return { drop, pseudonymise };
  const found = readPrivacyKey('', keyFile);
  if ('problem' in found)
    throw new WarehouseError('CONFIG_INVALID', `${path}: privacy.key: ${found.problem}`, {
      hint: found.hint ?? 'Bring the file back, or name another one.',
    });
  return { drop, pseudonymise, key: found.secret };
}

function show({ json, stdout }: CommandContext, config: Config): number {
  const settings = settingsOf(config);
  const { applied, against } = existsSync(config.warehouse.path)
    ? readStored(config, settings)
    : { applied: undefined, against: [] };
  const { drop, pseudonymise } = settings;
  if (json) {
    stdout.write(`${JSON.stringify({ drop, pseudonymise, keyFile: config.privacy.keyFile, against }, null, 2)}\n`);
  } else {
    const isNone = drop.length + pseudonymise.length === 0;
    const policy = isNone
      ? 'Every field is stored as HyperStudy sends it.\n'
      : `${namedLine('Never stored', drop)}${namedLine('Stored as pseudonyms', pseudonymise)}`;
    stdout.write(`${policy}${againLine(settings, applied)}${isNone ? '' : storedText(against)}`);
  }
  return against.length === 0 ? EXIT.ok : EXIT.partial;
}

function readStored(config: Config, settings: PolicySettings) {
  const db = openReader(config);
  try {
    return { applied: appliedPolicy(db), against: againstPolicy(db, settings) };
  } finally {
    db.close();
  }
}

function namedLine(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what}: ${names.join(', ')}\n`;
}

/** What was left out comes back only where it is read again. */
function againLine({ drop, pseudonymise }: PolicySettings, applied: AppliedPolicy | undefined): string {
  const now = [...drop, ...pseudonymise];
  const free = [...(applied?.drop ?? []), ...(applied?.pseudonymise ?? [])].filter((name) => !now.includes(name));
  return free.length === 0
    ? ''
    : `Stored again from the next sync on: ${free.join(', ')}; in rows that were read before, after \`hsw sync now --full\`\n`;
}

function storedText(against: ReturnType<typeof againstPolicy>): string {
  if (against.length === 0) return 'The warehouse holds nothing else of them.\n';
  const lines = against.map(({ table, rows }) => `  ${table}: ${counted(rows, 'row')}\n`).join('');
  return `Stored before, and still there:\n${lines}Run \`hsw privacy --clean\`.\n`;
}

async function clean(context: CommandContext, config: Config, flags: PrivacyFlags): Promise<number> {
  const settings = settingsOf(config);
  const { against } = readStored(config, settings);
  if (flags.dryRun === true || against.length === 0) {
    const text = against.length === 0 ? storedText(against) : `${storedText(against)}Nothing was changed.\n`;
    say(context, { against, dryRun: flags.dryRun === true }, text);
    return EXIT.ok;
  }
  if (flags.yes !== true) await confirm(context, storedText(against));
  const options = warehouseOptions(config, systemClock);
  const cleaned = await whileOpen(openWarehouse(config.warehouse.path, options), (opened) =>
    Promise.resolve(opened.clean(settings, false)),
  );
  say(context, cleaned, closing(cleaned));
  return EXIT.ok;
}

async function confirm(context: CommandContext, text: string): Promise<void> {
  if (context.json || !context.stdin.isTTY)
    throw new WarehouseError('USAGE', 'Cleaning has to be confirmed. Nothing was changed.', {
      hint: 'Look at it with --dry-run, then add --yes.',
    });
  context.stderr.write(text);
  const answer = await askOn(context)('It cannot be undone. Type yes to clean the warehouse: ');
  if (answer !== 'yes')
    throw new WarehouseError('USAGE', 'Nothing was changed.', { hint: 'Run the command again, and type yes.' });
}

function closing({ tables, isOverwritten, unreached }: Erasure): string {
  const lines = tables.map(({ table, replaced }) => `  ${table}: ${counted(replaced, 'row')}\n`).join('');
  const overwritten = isOverwritten
    ? 'The file was rewritten: nothing of what was left out is in it.\n'
    : 'The file could not be rewritten yet, because a program has it open or the disk is too full. This is done at the next sync or start.\n';
  const backups = unreached.length === 0 ? '' : `These files may still hold it; delete them: ${unreached.join(', ')}\n`;
  return `Cleaned:\n${lines}${overwritten}${backups}Not known to hsw: exports, copies, backups elsewhere.\n`;
}

function say({ json, stdout }: CommandContext, document: object, text: string): void {
  stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text);
}
