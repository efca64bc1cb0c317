import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig, SEARCHED } from '../../config/load.ts';
import { DATA_TYPE_OPTIONS } from '../../datasets/registry.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import type { Command } from '../context.ts';
import {
  isWithin,
  renderUnit,
  SERVICE_USER,
  STATE_FOLDER,
  unitNames,
  type InstallationPaths,
} from '../service-unit.ts';

interface InstallFlags {
  readonly timer?: boolean;
  readonly install?: boolean;
  readonly force?: boolean;
  /** Write below this folder instead of `/`. */
  readonly root?: string;
}

/** A unit, where it belongs, and what became of it. */
interface UnitFile {
  readonly path: string;
  readonly text: string;
  readonly done: 'printed' | 'written' | 'unchanged' | 'replaced';
}

const UNIT_FOLDER = '/etc/systemd/system';
const KEY_FILE = '/etc/hyperstudy-warehouse/key';
const USUAL_CONFIG = '/etc/hyperstudy-warehouse/config.yaml';

/** `hsw install-service`: prints the systemd units for this installation, or writes them, and says what to do next. */
export const installService: Command<InstallFlags> = (context, flags) => {
  const timer = flags.timer === true;
  const found = findInstallation(context.configPath);
  const problems = hidden(found);
  const rendered = unitNames(timer).map((name) => ({
    path: join(flags.root ?? '/', UNIT_FOLDER, name),
    text: renderUnit(name, found.paths),
  }));
  const files = flags.install === true ? write(rendered, flags, problems) : rendered.map(printed);
  const steps = nextSteps(found, timer, flags.install === true);
  if (context.json) {
    const { paths } = found;
    context.stdout.write(`${JSON.stringify({ user: SERVICE_USER, paths, files, problems, steps }, null, 2)}\n`);
  } else {
    for (const { path, text, done } of files)
      context.stdout.write(done === 'printed' ? `# ${path}\n${text}\n` : `✓ ${path}: ${done}\n`);
    context.stdout.write(
      `${flags.install === true ? 'Next, as root:' : 'Nothing was written. To set it up, as root:'}\n\n${stepsText(steps)}`,
    );
    // Last, so that it stands where the reader looks.
    for (const problem of problems) context.stderr.write(`✗ ${problem}\n`);
  }
  return Promise.resolve(problems.length === 0 ? EXIT.ok : EXIT.partial);
};

interface Installation {
  readonly paths: InstallationPaths;
  readonly hasConfig: boolean;
  /** Whether the configuration itself says where the key is. */
  readonly namesKey: boolean;
  /** The SQLite file, which may not exist yet. */
  readonly database: string;
}

function findInstallation(named: string | undefined): Installation {
  const config = resolve(named ?? SEARCHED.find((path) => existsSync(path)) ?? USUAL_CONFIG);
  const hasConfig = existsSync(config);
  // With an empty environment, as the service will read it.
  const read = hasConfig
    ? loadConfig({ path: config, env: {}, dataTypes: DATA_TYPE_OPTIONS, needsKey: false })
    : undefined;
  const database = read?.warehouse.path ?? join(STATE_FOLDER, 'hyperstudy.db');
  return {
    paths: {
      node: realpathSync(process.execPath),
      main: realpathSync(fileURLToPath(new URL('../../main.js', import.meta.url))),
      config,
      data: dirname(database),
    },
    hasConfig,
    namesKey: read?.api.key !== undefined,
    database,
  };
}

/** What the service cannot see or read, in sentences. */
function hidden({ paths: { node, main, config, data }, namesKey }: Installation): string[] {
  const isTemporary = (path: string) => ['/tmp', '/var/tmp'].some((folder) => isWithin(path, folder));
  const paths = [node, main, config, data];
  const unseen = paths
    .filter(isTemporary)
    .map((path) => `${path} lies in a folder for temporary files, which the service does not see: move it.`);
  // A configuration that holds a key must stay closed until the key is out of it.
  const unread = [node, main, ...(namesKey ? [] : [config])]
    .filter((path) => existsSync(path) && !isTemporary(path))
    .map((path) => ({ path, closed: closedTo(path) }))
    .filter(({ closed }) => closed !== undefined)
    .map(
      ({ path, closed = path }) =>
        `${SERVICE_USER} cannot read ${path}, as only some users may ${closed === path ? 'read' : 'enter'} ${closed}: ${closed === path ? `chmod 644 ${closed}` : 'move the installation to /opt, for example'}.`,
    );
  const shadowed = ['/boot', '/efi', '/etc', '/usr', '/proc', '/sys', '/dev'].some((folder) => isWithin(data, folder))
    ? [`${data} is no folder for data: set warehouse.path in ${config} to ${STATE_FOLDER}/hyperstudy.db.`]
    : [];
  const named = namesKey
    ? [
        `${config} names the key itself: take api.key or api.keyFile out of it, as systemd hands the key over from ${KEY_FILE}.`,
      ]
    : [];
  return [...named, ...unseen, ...unread, ...shadowed];
}

/** The first folder on the way, or the file itself, that others may not enter or read. */
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
      `${differing.map(({ path }) => path).join(' and ')} exists already with other content. Nothing was written.`,
      { hint: '--force replaces it; keep changes of your own with `systemctl edit` instead.' },
    );
  }
  if (problems.length > 0 && !force) {
    throw new WarehouseError('USAGE', `The service would not work. Nothing was written.\n  ${problems.join('\n  ')}`, {
      hint: 'Mend this first; --force writes the units all the same.',
    });
  }
  for (const { path, text, done } of planned) if (done !== 'unchanged') writeWhole(path, text);
  return planned;
}

/** A unit that is masked, a link to /dev/null, differs too. */
function compare({ path, text }: { path: string; text: string }): 'written' | 'unchanged' | 'replaced' {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'written';
  return stat.isFile() && readFileSync(path, 'utf8') === text ? 'unchanged' : 'replaced';
}

function writeWhole(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new WarehouseError('USAGE', `${path} could not be written.`, {
      hint: 'Check the space on the disk and who may write in its folder.',
      cause,
    });
  }
}

/** Something to do as root: why, and the command. */
interface Step {
  readonly why: string;
  readonly command: string;
}

function nextSteps({ paths, hasConfig, database }: Installation, timer: boolean, isInstalled: boolean): Step[] {
  const { node, main, config, data } = paths;
  const hsw = `${quote(node)} ${quote(main)} --config ${quote(config)}`;
  const unit = unitNames(timer).at(-1) ?? '';
  const service = unitNames(timer)[0] ?? '';
  const own = `-o ${SERVICE_USER} -g ${SERVICE_USER}`;
  const outside = !isWithin(data, STATE_FOLDER);
  const step = (why: string, command: string): Step => ({ why, command });
  return [
    step(
      'A user of its own for the service',
      `id -u ${SERVICE_USER} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir ${STATE_FOLDER} --shell /usr/sbin/nologin ${SERVICE_USER}`,
    ),
    ...(existsSync(KEY_FILE)
      ? []
      : [step('The key: paste it, press Enter, then Ctrl-D', `install -D -m 600 /dev/stdin ${KEY_FILE}`)]),
    ...(hasConfig
      ? []
      : [
          step('The folder of the data', `install -d ${own} -m 750 ${STATE_FOLDER}`),
          step(
            'The configuration, which checks the key and lists your experiments',
            `install -d ${quote(dirname(config))} && HYPERSTUDY_API_KEY="$(cat ${KEY_FILE})" ${hsw} init --all --yes --warehouse ${database} && chmod 644 ${quote(config)}`,
          ),
        ]),
    ...(outside ? [step('The folder of the data', `install -d ${own} -m 750 ${quote(data)}`)] : []),
    ...(existsSync(database)
      ? [step('The warehouse that is there already', `chown ${SERVICE_USER}:${SERVICE_USER} ${quote(database)}*`)]
      : []),
    ...(isInstalled ? [] : [step('The unit', `${hsw} install-service --install${timer ? ' --timer' : ''}`)]),
    step('Start it, now and whenever the computer starts', `systemctl daemon-reload && systemctl enable --now ${unit}`),
    step('Check its status', `systemctl status ${service}; journalctl -u ${service} -n 20 -o cat`),
    step('Let a colleague read the data (from their next login)', `usermod -aG ${SERVICE_USER} NAME`),
  ];
}

function stepsText(steps: readonly Step[]): string {
  return steps.map(({ why, command }) => `# ${why}\n${command}\n`).join('\n');
}

/** A path as one word of a shell command. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
