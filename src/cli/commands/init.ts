import { existsSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readFileSync } from 'node:fs';
import { createClient } from '../../api/client.ts';
import { configSchema, PRODUCTION } from '../../config/schema.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/json.ts';
import { silentLog } from '../../shared/log.ts';
import { listExperiments } from '../../sync/experiments.ts';
import type { Command, CommandContext } from '../context.ts';
import { table } from '../output.ts';
import { VERSION } from '../version.ts';

interface InitFlags {
  readonly keyFile?: string;
  readonly baseUrl?: string;
  readonly experiment?: readonly string[];
  readonly all?: boolean;
  readonly warehouse?: string;
  readonly yes?: boolean;
}

/** Where the key comes from, as the configuration will say it. */
interface KeySource {
  readonly key: string;
  readonly line: string;
}

/** `hsw init`: makes a configuration that works, or none. */
export const init: Command<InitFlags> = async (context, flags) => {
  const path = resolve(context.configPath ?? './config.yaml');
  if (existsSync(path)) {
    throw new WarehouseError('CONFIG_EXISTS', `${path} exists already and was not changed.`, {
      hint: 'Edit it, or name another file with --config.',
    });
  }
  const ask = flags.yes === true || !context.stdin.isTTY ? undefined : askOn(context);
  const baseUrl = flags.baseUrl ?? context.env['HYPERSTUDY_BASE_URL'] ?? PRODUCTION;
  requireBaseUrl(baseUrl);
  const source = await findKey(context, flags, path, ask);
  const experiments = await seenExperiments(baseUrl, source.key, context.signal);
  const say = (text: string) => context.json || context.stdout.write(text);
  say(
    `✓ The key works and sees ${experiments.length} experiments:\n\n${table(
      ['id', 'name', 'rooms'],
      experiments.map(({ id, name, rooms }) => [id, name, rooms]),
    )}\n\n`,
  );
  const chosen = await choose(
    flags,
    experiments.map(({ id }) => id),
    ask,
  );
  const warehouse =
    flags.warehouse ??
    ((await ask?.('Where shall the SQLite file be? [./data/hyperstudy.db] ')) || './data/hyperstudy.db');
  writeFileSync(path, render({ baseUrl, keyLine: source.line, chosen, warehouse }), { mode: 0o600, flag: 'wx' });
  if (context.json)
    context.stdout.write(
      `${JSON.stringify({ config: path, experiments: chosen === 'all' ? 'all' : chosen, warehouse })}\n`,
    );
  say(`✓ Wrote ${path}. Now run: hsw sync now\n`);
  return EXIT.ok;
};

type Ask = (question: string, options?: { hidden: boolean }) => Promise<string>;

/** Asks on the terminal; what is typed at a hidden question is not shown. */
function askOn({ stdin, stdout, signal }: CommandContext): Ask {
  return async (question, { hidden } = { hidden: false }) => {
    const shown = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!hidden) stdout.write(chunk);
        done();
      },
    });
    if (hidden) stdout.write(question);
    const lines = createInterface({ input: stdin, output: shown, terminal: true });
    try {
      return (await lines.question(hidden ? '' : question, { signal })).trim();
    } finally {
      lines.close();
      if (hidden) stdout.write('\n');
    }
  };
}

async function findKey(
  { env }: CommandContext,
  { keyFile }: InitFlags,
  path: string,
  ask: Ask | undefined,
): Promise<KeySource> {
  if (keyFile !== undefined) {
    return { key: readKeyFile(keyFile), line: `keyFile: ${JSON.stringify(resolve(keyFile))}` };
  }
  const fromEnv = env['HYPERSTUDY_API_KEY'];
  if (fromEnv !== undefined && fromEnv !== '') return { key: fromEnv.trim(), line: 'key: ${HYPERSTUDY_API_KEY}' };
  const typed = await ask?.('Your HyperStudy API key (hst_…; not shown while you type): ', { hidden: true });
  if (typed === undefined || typed === '') {
    throw new WarehouseError('KEY_MISSING', 'There is no API key.', {
      hint: 'Set the environment variable HYPERSTUDY_API_KEY, or name a file that holds the key with --key-file.',
    });
  }
  const file = resolve(dirname(path), 'hyperstudy.key');
  writeFileSync(file, `${typed}\n`, { mode: 0o600, flag: 'wx' });
  return { key: typed, line: `keyFile: ./${relative(dirname(path), file)}` };
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new WarehouseError('CONFIG_INVALID', `The key file ${file} cannot be read.`, {
      hint: 'Check its name and who may read it.',
      cause,
    });
  }
}

function requireBaseUrl(baseUrl: string): void {
  const parsed = configSchema({}).shape.api.safeParse({ baseUrl });
  if (parsed.success) return;
  throw new WarehouseError(
    'USAGE',
    `The address ${baseUrl} ${parsed.error.issues[0]?.message ?? 'is no web address'}.`,
  );
}

interface Seen {
  readonly id: string;
  readonly name: string;
  readonly rooms: number | string;
}

/** The experiments that the key sees; as there is no warehouse yet, these few requests are in no ledger. */
async function seenExperiments(baseUrl: string, key: string, signal: AbortSignal): Promise<Seen[]> {
  const budget = { spend: <T>(_: unknown, send: () => Promise<T>) => send(), pause: () => undefined };
  const client = createClient({
    baseUrl,
    key,
    budget,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    timeoutMs: 30_000,
    userAgent: `hyperstudy-warehouse/${VERSION}`,
  });
  try {
    return (await listExperiments(client, signal)).map(seen);
  } finally {
    await client.close();
  }
}

function seen({ id, name, roomCount }: JsonObject & { id: string }): Seen {
  return { id, name: typeof name === 'string' ? name : '', rooms: typeof roomCount === 'number' ? roomCount : '?' };
}

async function choose(
  { experiment, all, yes }: InitFlags,
  ids: readonly string[],
  ask: Ask | undefined,
): Promise<readonly string[] | 'all'> {
  if (all === true) return 'all';
  const typed =
    experiment ??
    (await ask?.('Which experiments? Their ids with spaces between, or Enter for all: '))
      ?.split(/[\s,]+/)
      .filter((id) => id !== '') ??
    [];
  const unknown = typed.filter((id) => !ids.includes(id));
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `The key sees no experiment ${unknown.join(', ')}. Nothing was written.`, {
      hint: `It sees: ${ids.join(', ')}.`,
    });
  }
  if (typed.length > 0) return typed;
  if (yes === true || ask !== undefined) return 'all';
  throw new WarehouseError('USAGE', 'It is not said which experiments to sync. Nothing was written.', {
    hint: 'Add --all, or --experiment ID for each.',
  });
}

function render({
  baseUrl,
  keyLine,
  chosen,
  warehouse,
}: {
  baseUrl: string;
  keyLine: string;
  chosen: readonly string[] | 'all';
  warehouse: string;
}): string {
  const experiments =
    chosen === 'all'
      ? '  - all: true # every experiment that the key sees'
      : chosen.map((id) => `  - id: ${JSON.stringify(id)}`).join('\n');
  return `# Made by hsw init. config.example.yaml explains every key and its default.
api:
  baseUrl: ${baseUrl}
  ${keyLine}
warehouse:
  path: ${JSON.stringify(warehouse)}
data: all # or a list such as [events, chat, ratings/continuous]
experiments:
${experiments}
`;
}
