import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PRODUCTION } from '../../config/api.ts';
import { checkKey, readKeyFile, type KeyFound } from '../../config/key.ts';
import { environment } from '../../config/environment.ts';
import { configSchema } from '../../config/schema.ts';
import { scopesToTick } from '../../datasets/key-scopes.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { openUncounted } from '../../runtime/api-connection.ts';
import { listExperiments, type Listed } from '../../sync/experiment-list.ts';
import { listShared } from '../../sync/shares.ts';
import { askAgain, askOn, type Ask } from '../ask.ts';
import { commandName, type Command, type CommandContext, type Describe } from '../context.ts';
import { configText } from '../config-text.ts';
import { idsOf, suggestion } from '../experiment-names.ts';
import { list } from '../selection.ts';
import { table } from '../output.ts';

interface InitFlags {
  readonly keyFile?: string;
  readonly keyExpires?: string;
  readonly baseUrl?: string;
  readonly organization?: string;
  readonly experiment?: readonly string[];
  readonly all?: boolean;
  readonly warehouse?: string;
  readonly yes?: boolean;
}

/** A key of the right form, and where it came from. */
interface KeySource {
  readonly key: string;
  readonly from: 'file' | 'environment' | 'terminal';
}

/** Where the key is stored: beside the configuration. */
const KEY_FILE = 'hyperstudy.key';

export const describe: Describe = (program, run) => {
  program
    .option('--key-file <path>', 'a file that holds the API key (otherwise HYPERSTUDY_API_KEY, or a prompt)')
    .option('--key-expires <date>', 'when the key expires (a date, or never), so that you are warned a week before')
    .option('--base-url <url>', 'a different API URL')
    .option('--organization <id>', 'the organization whose data to request (otherwise HYPERSTUDY_ORGANIZATION_ID)')
    .option('--experiment <id>', 'an experiment to sync, by its id or name; can be repeated', list)
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
    .action((flags: InitFlags) => run(init, flags));
};

/** `hsw init`: writes a configuration that works, or none. */
export const init: Command<InitFlags> = async (context, flags) => {
  const path = resolve(context.configPath ?? './config.yaml');
  requirePlace(path);
  if (flags.all === true && flags.experiment !== undefined)
    throw new WarehouseError('USAGE', '--all and --experiment contradict each other: leave one of them out.');
  const ask = flags.yes === true || !context.stdin.isTTY ? undefined : askOn(context);
  const keyExpires = checkedExpiry(flags.keyExpires);
  const baseUrl = checkedBaseUrl(flags.baseUrl ?? (context.env['HYPERSTUDY_BASE_URL'] || PRODUCTION));
  const { source, organization, experiments } = await findAccount(context, flags, ask, baseUrl);
  const isAnyShared = experiments.some(({ shared }) => shared === 'yes');
  const say = (text: string) => context.json || context.stdout.write(text);
  say(
    `✓ The key works and can see ${experiments.length} experiments:\n\n${table(
      ['id', 'name', 'rooms', ...(isAnyShared ? ['shared'] : [])],
      experiments.map(({ id, name, rooms, shared }) => [id, name, rooms, ...(isAnyShared ? [shared] : [])]),
    )}\n\n`,
  );
  const chosen = await askAgain(context, isAsked(ask, flags.experiment), () => choose(flags, experiments, ask));
  const warehouse =
    flags.warehouse ??
    ((await ask?.('Where should the SQLite file be? [./data/hyperstudy.db] ')) || './data/hyperstudy.db');
  const keyLine = await keepKey(source, flags, path, ask);
  writeNew(path, configText({ baseUrl, organization, keyLine, keyExpires, chosen, warehouse }));
  if (context.json)
    context.stdout.write(
      `${JSON.stringify({ config: path, experiments: chosen === 'all' ? 'all' : chosen, warehouse })}\n`,
    );
  const isInEnvironment = keyLine.startsWith('key:');
  const first = isInEnvironment && source.from === 'terminal' ? 'export HYPERSTUDY_API_KEY=…, then ' : '';
  say(`✓ Wrote ${path}. Now run: ${first}${commandName(context)} sync now\n`);
  if (isInEnvironment) say(NO_KEY_FILE);
  if (keyExpires === undefined)
    say(`  If your key expires, set api.keyExpires there to its expiry date; you are then warned a week before.\n`);
  return EXIT.ok;
};

const NO_KEY_FILE =
  '  Cron and new terminals do not know HYPERSTUDY_API_KEY: for them, put the key into a file (chmod 600) and name it there as api.keyFile.\n';

/** Whether a person is asked, as no flag says it. */
const isAsked = (ask: Ask | undefined, flag: unknown) => ask !== undefined && flag === undefined;

/** A key that works, the organization, and the experiments that both can see. */
async function findAccount(context: CommandContext, flags: InitFlags, ask: Ask | undefined, baseUrl: string) {
  const isTyped = isAsked(ask, flags.keyFile) && (context.env['HYPERSTUDY_API_KEY'] ?? '').trim() === '';
  let answered: { readonly organization: string | undefined } | undefined;
  return askAgain(context, isTyped, async () => {
    const source = await findKey(context, flags, ask);
    answered ??= {
      organization: await askAgain(context, isAsked(ask, flags.organization), () =>
        findOrganization(context, flags, ask),
      ),
    };
    const { organization } = answered;
    const experiments = await seenExperiments({ baseUrl, key: source.key, organization }, context.signal);
    return { source, organization, experiments };
  });
}

/** Before any question: the configuration must be new and its folder writable. */
function requirePlace(path: string): void {
  if (existsSync(path)) throw existsAlready(path, 'Edit it, or choose another file with --config.');
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (cause) {
    throw new WarehouseError('USAGE', `The folder ${dirname(path)} does not exist or is not writable.`, {
      hint: 'Create it, or choose another file with --config.',
      cause,
    });
  }
}

function existsAlready(path: string, hint: string): WarehouseError {
  return new WarehouseError('CONFIG_EXISTS', `${path} already exists and was not changed.`, { hint });
}

/** Writes a file that only its owner can read; never overwrites one. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new WarehouseError('USAGE', `${path} could not be written.`, {
      hint: 'Check the disk space and who may write to its folder.',
      cause,
    });
  }
}

async function findKey({ env }: CommandContext, { keyFile }: InitFlags, ask: Ask | undefined): Promise<KeySource> {
  if (keyFile !== undefined) return { key: formed('The key file', readKeyFile(resolve(keyFile))), from: 'file' };
  const fromEnv = env['HYPERSTUDY_API_KEY']?.trim() ?? '';
  if (fromEnv !== '')
    return { key: formed('The environment variable HYPERSTUDY_API_KEY', checkKey(fromEnv)), from: 'environment' };
  const boxes = `Tick these boxes for the key: ${scopesToTick('all').join(', ')}.`;
  const typed =
    (await ask?.(`${boxes}\nYour HyperStudy API key (hst_…; not shown while you type): `, { hidden: true })) ?? '';
  if (typed !== '') return { key: formed('What you typed', checkKey(typed)), from: 'terminal' };
  throw new WarehouseError('KEY_MISSING', 'There is no API key.', {
    hint: `Set the environment variable HYPERSTUDY_API_KEY, or name a file that holds the key with --key-file. ${boxes}`,
  });
}

function formed(source: string, found: KeyFound): string {
  if ('key' in found) return found.key;
  throw new WarehouseError('CONFIG_INVALID', `${source}: ${found.problem}. Nothing was written.`, {
    hint: found.hint ?? 'Copy the whole key from your HyperStudy account; it starts with hst_live_ or hst_test_.',
  });
}

/** Returns the line of the configuration that says where the key is; stores it in a file if the user agrees. */
async function keepKey(source: KeySource, { keyFile }: InitFlags, path: string, ask: Ask | undefined): Promise<string> {
  if (keyFile !== undefined) return `keyFile: ${JSON.stringify(resolve(keyFile))}`;
  if (ask === undefined) return 'key: ${HYPERSTUDY_API_KEY}';
  const file = resolve(dirname(path), KEY_FILE);
  const answer = await ask(`Store the key in ${file}, which only you can read? Cron needs it there. [Y/n] `);
  if (/^n/i.test(answer)) return 'key: ${HYPERSTUDY_API_KEY}';
  if (existsSync(file)) throw existsAlready(file, `Use it with --key-file ${file}, or move it away.`);
  writeNew(file, `${source.key}\n`);
  return `keyFile: ./${KEY_FILE}`;
}

function checkedBaseUrl(baseUrl: string): string {
  const parsed = configSchema({}).shape.api.safeParse({ baseUrl });
  if (parsed.success) return parsed.data.baseUrl;
  throw new WarehouseError('USAGE', `The URL ${baseUrl} ${parsed.error.issues[0]?.message ?? 'is not a valid URL'}.`);
}

/** The organization whose data to request, if any. */
async function findOrganization(
  { env }: CommandContext,
  flags: InitFlags,
  ask: Ask | undefined,
): Promise<string | undefined> {
  const question = 'The id of your organization (org_…), if experiments are shared with it [none] ';
  const given = flags.organization ?? environment(env, 'HYPERSTUDY_ORGANIZATION_ID') ?? (await ask?.(question)) ?? '';
  const organization = given.trim() === '' ? undefined : given.trim();
  const parsed = configSchema({}).shape.api.safeParse({ organization });
  if (parsed.success) return organization;
  throw new WarehouseError('USAGE', `The organization ${parsed.error.issues[0]?.message ?? 'is not valid'}.`);
}

/** The flag as given, which must be valid in the configuration. */
function checkedExpiry(keyExpires: string | undefined): string | undefined {
  const parsed = configSchema({}).shape.api.safeParse({ keyExpires });
  if (parsed.success) return keyExpires?.trim();
  throw new WarehouseError('USAGE', `--key-expires ${parsed.error.issues[0]?.message ?? 'is not a date'}.`);
}

interface Seen {
  readonly id: string;
  readonly name: string;
  readonly rooms: number | string;
  /** Whether another organization shares it. */
  readonly shared: 'yes' | '';
}

/** The experiments that the key can see. */
async function seenExperiments(
  server: { baseUrl: string; key: string; organization: string | undefined },
  signal: AbortSignal,
): Promise<Seen[]> {
  const client = openUncounted({ ...server, timeoutMs: 30_000 }, systemClock, silentLog);
  try {
    const { listed } = await listExperiments(client, signal);
    const shared = (await listShared(client, 'experiments', signal))?.listed ?? [];
    const isOwn = new Set(listed.map(({ id }) => id));
    const others = shared.filter(({ id }) => !isOwn.has(id));
    return [...listed.map((one) => seen(one, '')), ...others.map((one) => seen(one, 'yes'))];
  } finally {
    await client.close();
  }
}

function seen({ id, name, roomCount }: Listed, shared: Seen['shared']): Seen {
  return {
    id,
    name: typeof name === 'string' ? name : '',
    rooms: typeof roomCount === 'number' ? roomCount : '?',
    shared,
  };
}

async function choose(
  { experiment, all, yes }: InitFlags,
  seenOnes: readonly Seen[],
  ask: Ask | undefined,
): Promise<readonly string[] | 'all'> {
  if (all === true) return 'all';
  const typed =
    experiment ??
    split(await ask?.('Which experiments? Enter their ids with spaces between, or press Enter for all: '), seenOnes);
  const { ids, unknown } = idsOf(typed, seenOnes);
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The key cannot see the experiment ${unknown.join(', ')}. Nothing was written.`, {
      hint: suggestion(unknown, seenOnes, 'It can see'),
    });
  }
  if (ids.length > 0) return ids;
  if (yes === true || ask !== undefined) return 'all';
  throw new WarehouseError('USAGE', 'No experiments were chosen. Nothing was written.', {
    hint: 'Add --all, or --experiment ID for each.',
  });
}

/** What was typed is one name, which may have spaces, or several ids. */
function split(line = '', experiments: readonly Seen[]): readonly string[] {
  const words = line.split(/[\s,]+/).filter((word) => word !== '');
  return words.length > 1 && idsOf([line], experiments).unknown.length === 0 ? [line] : words;
}
