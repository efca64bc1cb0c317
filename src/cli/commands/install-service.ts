import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SEARCHED } from '../../config/document.ts';
import { loadConfig } from '../../config/load.ts';
import { DATA_TYPE_OPTIONS } from '../../datasets/registry.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { packaged } from '../../shared/package.ts';
import type { Command, Describe } from '../context.ts';
import { labSteps, nextSteps, stepsText } from '../service-steps.ts';
import {
  isWithin,
  KEY_FILE,
  labPaths,
  renderUnit,
  SERVICE_USER,
  STATE_FOLDER,
  UNIT_NAMES,
  type Installation,
  type InstallationPaths,
} from '../service-unit.ts';

interface InstallFlags {
  readonly timer?: boolean;
  readonly labs?: boolean;
  readonly install?: boolean;
  readonly force?: boolean;
  /** Write below this folder instead of `/`. */
  readonly root?: string;
}

/** A unit, its path, and what was done with it. */
interface UnitFile {
  readonly path: string;
  readonly text: string;
  readonly done: 'printed' | 'written' | 'unchanged' | 'replaced';
}

const UNIT_FOLDER = '/etc/systemd/system';
const USUAL_CONFIG = '/etc/hyperstudy-warehouse/config.yaml';

export const describe: Describe = (program, run) => {
  program
    .option('--timer', 'a timer that runs `hsw sync now` every 15 minutes, instead of the daemon')
    .option('--labs', 'the unit for several labs on this machine, each with its own user, configuration and data')
    .option('--install', 'write the unit; needs root')
    .option('--force', 'replace a unit that differs, and write it even if it would not work')
    .option('--root <folder>', 'write below this folder instead of /, for building packages and images')
    .addHelpText(
      'after',
      `
Examples:
  hsw install-service
  sudo hsw --config /etc/hyperstudy-warehouse/config.yaml install-service --install
  sudo hsw install-service --timer --install
  sudo hsw install-service --labs --install`,
    )
    .action((flags: InstallFlags) => run(installService, flags));
};

/** `hsw install-service`: prints the systemd units for this installation, or writes them, and says what to do next. */
const installService: Command<InstallFlags> = (context, flags) => {
  if (flags.timer === true && flags.labs === true)
    throw new WarehouseError('USAGE', '--timer and --labs contradict each other: leave one of them out.');
  const kind = flags.labs === true ? 'labs' : flags.timer === true ? 'timer' : 'daemon';
  const found = kind === 'labs' ? installationOfLabs() : findInstallation(context.configPath);
  const problems = hidden(found);
  const rendered = UNIT_NAMES[kind].map((name) => ({
    path: join(flags.root ?? '/', UNIT_FOLDER, name),
    text: renderUnit(name, found.paths),
  }));
  const files = flags.install === true ? write(rendered, flags, problems) : rendered.map(printed);
  const isInstalled = flags.install === true;
  const steps = kind === 'labs' ? labSteps(found.paths, isInstalled) : nextSteps(found, kind, isInstalled);
  if (context.json) {
    const { paths } = found;
    context.stdout.write(
      `${JSON.stringify({ user: kind === 'labs' ? 'hsw-LAB' : SERVICE_USER, paths, files, problems, steps }, null, 2)}\n`,
    );
  } else {
    for (const { path, text, done } of files)
      context.stdout.write(done === 'printed' ? `# ${path}\n${text}\n` : `✓ ${path}: ${done}\n`);
    context.stdout.write(
      `${flags.install === true ? 'Next, as root:' : 'Nothing was written. To set it up, as root:'}\n\n${stepsText(steps)}`,
    );
    // Last, so that it is what the reader sees.
    for (const problem of problems) context.stderr.write(`✗ ${problem}\n`);
  }
  return Promise.resolve(problems.length === 0 ? EXIT.ok : EXIT.partial);
};

function findInstallation(named: string | undefined): Installation {
  const config = resolve(named ?? SEARCHED.find((path) => existsSync(path)) ?? USUAL_CONFIG);
  const hasConfig = existsSync(config);
  // With an empty environment, as the service will read it.
  const read = hasConfig
    ? loadConfig({ path: config, env: {}, dataTypes: DATA_TYPE_OPTIONS, needsKey: false })
    : undefined;
  const database = read?.warehouse.path ?? join(STATE_FOLDER, 'hyperstudy.db');
  return {
    paths: { ...program(), config, data: dirname(database) },
    hasConfig,
    namesKey: read?.api.key !== undefined,
    database,
  };
}

/** Each lab has a configuration of its own, which may not be there yet. */
function installationOfLabs(): Installation {
  const { config, data } = labPaths('LAB');
  return {
    paths: { ...program(), config, data },
    hasConfig: false,
    namesKey: false,
    database: join(data, 'hyperstudy.db'),
  };
}

function program(): Pick<InstallationPaths, 'node' | 'main'> {
  return { node: realpathSync(process.execPath), main: realpathSync(packaged('dist', 'main.js')) };
}

/** What the service cannot see or read, as sentences. */
function hidden({ paths: { node, main, config, data }, namesKey }: Installation): string[] {
  const isTemporary = (path: string) => ['/tmp', '/var/tmp'].some((folder) => isWithin(path, folder));
  const paths = [node, main, config, data];
  const unseen = paths
    .filter(isTemporary)
    .map((path) => `${path} is in a folder for temporary files, which the service cannot see: move it.`);
  // A configuration that holds a key must stay private until the key is removed from it.
  const unread = [node, main, ...(namesKey ? [] : [config])]
    .filter((path) => existsSync(path) && !isTemporary(path))
    .map((path) => ({ path, closed: closedTo(path) }))
    .filter(({ closed }) => closed !== undefined)
    .map(
      ({ path, closed = path }) =>
        `${SERVICE_USER} cannot read ${path}, because ${closed} is closed to other users: ${closed === path ? `chmod 644 ${closed}` : 'move the installation, for example to /opt'}.`,
    );
  const shadowed = ['/boot', '/efi', '/etc', '/usr', '/proc', '/sys', '/dev'].some((folder) => isWithin(data, folder))
    ? [`${data} is not a folder for data: set warehouse.path in ${config} to ${STATE_FOLDER}/hyperstudy.db.`]
    : [];
  const named = namesKey
    ? [
        `${config} names the key itself: remove api.key or api.keyFile from it, as systemd passes the key from ${KEY_FILE}.`,
      ]
    : [];
  return [...named, ...unseen, ...unread, ...shadowed];
}

/** The first folder of the path, or the file itself, that others cannot enter or read. */
function closedTo(file: string): string | undefined {
  const folders: string[] = [];
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) folders.unshift(at);
  const folder = folders.find((path) => (statSync(path).mode & 0o001) === 0);
  return folder ?? ((statSync(file).mode & 0o004) === 0 ? file : undefined);
}

function printed(unit: { path: string; text: string }): UnitFile {
  return { ...unit, done: 'printed' };
}

/** Writes every unit, or none. */
function write(
  units: readonly { path: string; text: string }[],
  { force = false, root }: InstallFlags,
  problems: readonly string[],
): UnitFile[] {
  if (root === undefined && process.geteuid?.() !== 0) {
    throw new WarehouseError('USAGE', `Only root may write into ${UNIT_FOLDER}. Nothing was written.`, {
      hint: 'Run the same command with sudo, or without --install to see what it would write.',
    });
  }
  const planned = units.map((unit) => ({ ...unit, done: compare(unit) }));
  const differing = planned.filter(({ done }) => done === 'replaced');
  if (differing.length > 0 && !force) {
    throw new WarehouseError(
      'CONFIG_EXISTS',
      `${differing.map(({ path }) => path).join(' and ')} already exists with different content. Nothing was written.`,
      { hint: '--force replaces it; to keep your own changes, use `systemctl edit`.' },
    );
  }
  if (problems.length > 0 && !force) {
    throw new WarehouseError('USAGE', `The service would not work. Nothing was written.\n  ${problems.join('\n  ')}`, {
      hint: 'Fix this first, or use --force to write the units anyway.',
    });
  }
  for (const { path, text, done } of planned) if (done !== 'unchanged') writeWhole(path, text);
  return planned;
}

/** A masked unit, which is a link to /dev/null, differs too. */
function compare({ path, text }: { path: string; text: string }): 'written' | 'unchanged' | 'replaced' {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'written';
  return stat.isFile() && readFileSync(path, 'utf8') === text ? 'unchanged' : 'replaced';
}

function writeWhole(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, text, { flag: 'wx' });
    // Everyone may read a unit, as `systemctl cat` does.
    chmodSync(`${path}.new`, 0o644);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new WarehouseError('USAGE', `${path} could not be written.`, {
      hint: 'Check the disk space and who may write to its folder.',
      cause,
    });
  }
}
