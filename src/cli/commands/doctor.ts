import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Client } from '../../api/client.ts';
import type { Config } from '../../config/schema.ts';
import { scopesToTick } from '../../datasets/key-scopes.ts';
import { shownOf, type Issue } from '../../status/issue.ts';
import { expiryIssue } from '../../status/key-issues.ts';
import { diskIssues, gigabytes } from '../../status/warehouse-issues.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { addressOf, endpointOf, streamText, type Stream } from '../../datasets/stream.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, stopsEverything, WarehouseError } from '../../shared/errors.ts';
import type { Json } from '../../shared/json.ts';
import { scrub, silentLog } from '../../shared/log.ts';
import { formatDuration, formatMinute } from '../../shared/time.ts';
import { diskOf } from '../../warehouse/disk.ts';
import { filesystemOf, refuseSharedFilesystem } from '../../warehouse/open.ts';
import { openUncounted } from '../../runtime/api-connection.ts';
import { withoutList } from '../../sync/experiment-list.ts';
import { compareDescription, type Compared } from '../api-description.ts';
import { findGiven, rightsTo } from '../access-checks.ts';
import { readConfig, type Command, type Describe } from '../context.ts';
import { undeclaredIn, undeclaredText } from '../undeclared-fields.ts';
import { closeOpen, exposedSecrets, openFolder, foreignFiles } from '../permissions.ts';
import { NO_EXPERIMENTS } from '../../warehouse/experiment-list.ts';

/** One line of the diagnosis. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

/** A larger difference between the clocks makes data look older or newer than they are. */
const CLOCK_TOLERANCE_MS = 5000;

interface DoctorFlags {
  readonly fix?: boolean;
  readonly spec?: boolean;
}

export const describe: Describe = (program, run) => {
  program
    .option(
      '--spec',
      "also compare the API's own description with what this version knows; never changes the exit status",
    )
    .option(
      '--fix',
      'first make the files of the warehouse and the configuration private, where others can read or change them',
    )
    .addHelpText('after', '\nExamples:\n  hsw doctor\n  hsw doctor --fix\n  hsw doctor --spec')
    .action((flags: DoctorFlags) => run(doctor, flags));
};

/** `hsw doctor`: every check as a line with ✓ or ✗ and what to do. */
const doctor: Command<DoctorFlags> = async (context, flags) => {
  const checks: Check[] = [];
  let fixed: readonly string[] = [];
  const add = (name: string, ok: boolean, found: string) => {
    // Only the problems of a configuration have lines of their own.
    const text = name === 'config' ? scrub(found) : cleanLine(scrub(found));
    checks.push({ name, ok, text });
    if (!context.json) context.stdout.write(`${ok ? '✓' : '✗'} ${name}: ${text}\n`);
  };
  const config = attempt(
    () => readConfig(context, true, true),
    (error) => add('config', false, errorText(error)),
  );
  if (config !== undefined) {
    add('config', true, `${config.path} is valid; the key has the form of a HyperStudy key`);
    fixed = flags.fix === true ? closeOpen(config).map((text) => scrub(text)) : [];
    if (!context.json) for (const text of fixed) context.stdout.write(`✓ fixed: ${text}\n`);
    const exposed = exposedSecrets(config);
    add('config file', exposed === undefined, exposed ?? 'no one else can read the secrets in it');
    const open = openFolder(config.warehouse.path);
    add('warehouse folder', open === undefined, open ?? 'only its owner and its group can access the data');
    const foreign = foreignFiles(config.warehouse.path);
    if (foreign !== undefined) add('warehouse files', false, foreign);
    checkDisk(config, add);
    const isAccepted = await checkApi(config, context.signal, add);
    checkExpiry(config, isAccepted, add);
  }
  const undeclared = config === undefined ? [] : undeclaredIn(config.warehouse.path);
  if (undeclared.length > 0 && !context.json) context.stdout.write(scrub(undeclaredText(undeclared)));
  const compared =
    flags.spec === true && config !== undefined ? await compareDescription(config, context.signal) : undefined;
  if (compared !== undefined && !context.json) context.stdout.write(comparedText(compared));
  const ok = checks.every((check) => check.ok);
  const description = compared === undefined ? {} : { description: compared };
  if (context.json) {
    const found = { ok, checks, undeclared, ...(flags.fix === true ? { fixed } : {}), ...description };
    context.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  }
  return ok ? EXIT.ok : EXIT.partial;
};

/** The most findings that are printed; `--json` has them all. */
const MOST_FINDINGS = 100;

/** What the API's description says otherwise is for those who keep this program, and nothing is wrong with the data. */
function comparedText({ text, findings }: Compared): string {
  const lines = findings.slice(0, MOST_FINDINGS).map((finding) => `  ${finding.file}: ${finding.text}`);
  const more = findings.length - lines.length;
  return `${[`· description: ${text}`, ...lines, ...(more > 0 ? [`  … and ${more} more`] : [])].map((line) => scrub(line)).join('\n')}\n`;
}

type Add = (name: string, ok: boolean, text: string) => void;

function attempt<T>(action: () => T, onFailure: (error: WarehouseError) => void): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    onFailure(error);
    return undefined;
  }
}

function errorText({ message, hint }: WarehouseError): string {
  return hint === undefined ? message : `${message} ${hint}`;
}

function issueText({ text, hint }: Issue): string {
  return `${text} ${hint}`;
}

function checkDisk({ warehouse, alerts }: Config, add: Add): void {
  let folder = dirname(warehouse.path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const local = attempt(
    () => {
      refuseSharedFilesystem(warehouse.path);
      return true;
    },
    (error) => add('filesystem', false, errorText(error)),
  );
  if (local === true) add('filesystem', true, `${filesystemOf(warehouse.path) ?? 'local'}: suitable for SQLite`);
  try {
    accessSync(folder, constants.W_OK);
    const disk = diskOf(folder);
    const [issue] = shownOf(diskIssues({ ...disk, leastFree: alerts.diskFree }));
    add('space', issue === undefined, issue === undefined ? `${gigabytes(disk.freeBytes)} free` : issueText(issue));
  } catch {
    add('space', false, `${folder} is not writable: check who owns it, or change warehouse.path`);
  }
}

function checkExpiry({ api: { keyExpiresAt } }: Config, isAccepted: boolean, add: Add): void {
  if (keyExpiresAt === undefined) return;
  const now = systemClock.now();
  const issue = expiryIssue({ keyExpiresAt, now, readAt: isAccepted ? now : undefined });
  add(
    'key expiry',
    issue === undefined,
    issue === undefined
      ? `the key expires at ${formatMinute(keyExpiresAt)}, in ${formatDuration(keyExpiresAt - now)}`
      : issueText(issue),
  );
}

/** Returns whether the API accepts the key. */
async function checkApi(config: Config, signal: AbortSignal, add: Add): Promise<boolean> {
  const client = openUncounted(config.api, systemClock, silentLog);
  try {
    const health = await client.health(signal);
    add('network', true, `${config.api.baseUrl} answers`);
    if (health.serverTime !== undefined) {
      const off = Math.abs(systemClock.now() - health.serverTime);
      const fine = off <= CLOCK_TOLERANCE_MS;
      add(
        'clock',
        fine,
        fine
          ? 'agrees with the server'
          : `differs from the server's by ${formatDuration(off)}: turn on network time (timedatectl set-ntp true)`,
      );
    }
    await checkKey(client, config, signal, add);
    return true;
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    const isFull = error.code === 'RATE_LIMITED';
    add(error.code === 'KEY_REFUSED' ? 'key' : isFull ? 'limits' : 'network', false, errorText(error));
    return isFull;
  } finally {
    await client.close();
  }
}

async function firstOfList(client: Client, signal: AbortSignal): Promise<readonly Json[]> {
  const [query, what] = [{ limit: 1 }, 'the list of experiments'];
  return (await client.get({ path: '/experiments', query, endpoint: 'experiments', what, signal })).data;
}

/** Whether a refusal is about the organization: without it, the same request is answered. */
async function isOrganizations(error: unknown, { api }: Config, signal: AbortSignal): Promise<boolean> {
  if (api.organization === undefined || !(error instanceof WarehouseError) || error.passes) return false;
  const client = openUncounted({ ...api, organization: undefined }, systemClock, silentLog);
  return firstOfList(client, signal)
    .then(
      () => true,
      () => false,
    )
    .finally(() => client.close());
}

function organizationText(organization: string, data: readonly Json[] | undefined): string {
  return data === undefined
    ? `The API refuses requests for ${organization}: it does not exist, or the key's owner is not a member. Nothing can be read. Check api.organization and HYPERSTUDY_ORGANIZATION_ID.`
    : `the API answers requests for ${organization}`;
}

/** Requests one record of each configured data type, as no endpoint says what a key may read. */
async function checkKey(client: Client, config: Config, signal: AbortSignal, add: Add): Promise<void> {
  const data = await firstOfList(client, signal).catch(async (error: unknown) => {
    if (!(await isOrganizations(error, config, signal))) throw withoutList(error);
    return undefined;
  });
  add('key', true, 'the API accepts it');
  const { organization } = config.api;
  if (organization !== undefined) add('organization', data !== undefined, organizationText(organization, data));
  if (data === undefined) return;
  const given = await findGiven(client, config, data, signal);
  if (given === undefined) {
    add('experiments', false, `${NO_EXPERIMENTS.message} ${NO_EXPERIMENTS.hint}`);
    return;
  }
  const { kind } = given.scope;
  const rights = kind === 'experiment' ? await rightsTo(client, given.experimentId, signal) : undefined;
  if (rights !== undefined) add('rights', rights.ok, rights.text);
  const wanted = DATASETS.filter(
    ({ name, scopes }) => scopes.includes(kind) && (config.data === 'all' || config.data.includes(name)),
  );
  const found: DataAccess[] = [];
  for (const dataset of wanted) {
    const access = await accessTo(client, { ...given, dataset }, signal);
    add(dataset.name, access.ok, access.text);
    found.push(access);
  }
  if (!found.some(({ lacksScope }) => lacksScope)) return;
  const boxes = scopesToTick(config.data).join(', ');
  add('key scopes', false, `the configured data types need these boxes ticked for the key in HyperStudy: ${boxes}`);
}

/** Whether the key may read a data type. */
interface DataAccess {
  readonly ok: boolean;
  readonly text: string;
  readonly lacksScope: boolean;
}

/** Requests one record. @throws WarehouseError when nothing else can be requested either. */
async function accessTo(client: Client, stream: Stream, signal: AbortSignal): Promise<DataAccess> {
  const { dataset } = stream;
  const [path, query] = addressOf(stream);
  const limit = dataset.path === undefined ? { limit: 1 } : {};
  try {
    await client.get({
      path,
      query: { ...query, ...limit },
      endpoint: endpointOf(stream),
      what: streamText(stream),
      signal,
    });
    return { ok: true, text: 'allowed', lacksScope: false };
  } catch (error) {
    if (!(error instanceof WarehouseError) || stopsEverything(error.code) || error.code === 'RATE_LIMITED') throw error;
    if (dataset.mayBeAbsent === true && error.code === 'NOT_FOUND')
      return { ok: true, text: 'allowed, but there are none', lacksScope: false };
    const scopes = dataset.keyScopes.join(' or ');
    const documented = scopes === '' ? '' : ` (documented scope: ${scopes})`;
    return { ok: false, text: `${errorText(error)}${documented}`, lacksScope: error.code === 'SCOPE_MISSING' };
  }
}
