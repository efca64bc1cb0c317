import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  isWithin,
  KEY_FILE,
  labPaths,
  SERVICE_USER,
  STATE_FOLDER,
  UNIT_NAMES,
  type Installation,
  type InstallationPaths,
} from './service-unit.ts';

/** A step to take as root: why, and the command. */
export interface Step {
  readonly why: string;
  readonly command: string;
}

/** What to do for one lab. */
export function nextSteps(
  { paths, hasConfig, database }: Installation,
  kind: 'daemon' | 'timer',
  isInstalled: boolean,
): Step[] {
  const { node, main, config, data } = paths;
  const hsw = `${commandOf({ node, main })} --config ${quote(config)}`;
  const unit = UNIT_NAMES[kind].at(-1) ?? '';
  const service = UNIT_NAMES[kind][0] ?? '';
  const own = `-o ${SERVICE_USER} -g ${SERVICE_USER}`;
  const outside = !isWithin(data, STATE_FOLDER);
  const step = (why: string, command: string): Step => ({ why, command });
  return [
    step(
      'Create a user for the service',
      `id -u ${SERVICE_USER} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir ${STATE_FOLDER} --shell /usr/sbin/nologin ${SERVICE_USER}`,
    ),
    ...(existsSync(KEY_FILE)
      ? []
      : [step('Store the key: paste it, press Enter, then Ctrl-D', `install -D -m 600 /dev/stdin ${KEY_FILE}`)]),
    ...(hasConfig
      ? []
      : [
          step('Create the data folder', `install -d ${own} -m 750 ${STATE_FOLDER}`),
          step(
            'Write the configuration; this checks the key and lists your experiments',
            `install -d ${quote(dirname(config))} && HYPERSTUDY_API_KEY="$(cat ${KEY_FILE})" ${hsw} init --all --yes --warehouse ${database} && chmod 644 ${quote(config)}`,
          ),
        ]),
    ...(outside ? [step('Create the data folder', `install -d ${own} -m 750 ${quote(data)}`)] : []),
    ...(existsSync(database)
      ? [step('Hand over the existing warehouse', `chown ${SERVICE_USER}:${SERVICE_USER} ${quote(database)}*`)]
      : []),
    ...(isInstalled
      ? []
      : [step('Install the unit', `${hsw} install-service --install${kind === 'timer' ? ' --timer' : ''}`)]),
    step('Start it now and at every boot', `systemctl daemon-reload && systemctl enable --now ${unit}`),
    step('Check its status', `systemctl status ${service}; journalctl -u ${service} -n 20 -o cat`),
    step('Let a colleague read the data (after their next login)', `usermod -aG ${SERVICE_USER} NAME`),
  ];
}

/** What to do for each lab, with its name and port in variables of the shell. */
export function labSteps(program: Pick<InstallationPaths, 'node' | 'main'>, isInstalled: boolean): Step[] {
  const hsw = commandOf(program);
  const user = 'hsw-$LAB';
  const { config, data } = labPaths('$LAB');
  const key = '/etc/hyperstudy-warehouse/$LAB/key';
  const unit = 'hyperstudy-warehouse@$LAB';
  const step = (why: string, command: string): Step => ({ why, command });
  return [
    ...(isInstalled ? [] : [step('Install the unit, once for all labs', `${hsw} install-service --labs --install`)]),
    step(
      'For each lab: its name (a-z, 0-9, at most 28 letters) and a port of its own for its dashboard',
      'LAB=first PORT=8788',
    ),
    step(
      'Create its user',
      `id -u ${user} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir ${data} --shell /usr/sbin/nologin ${user}`,
    ),
    step('Store its key: paste it, press Enter, then Ctrl-D', `install -D -m 600 /dev/stdin ${key}`),
    step('Create its data folder', `install -d -o ${user} -g ${user} -m 750 ${data}`),
    step(
      'Write its configuration; this checks the key and lists its experiments',
      `HYPERSTUDY_API_KEY="$(cat ${key})" ${hsw} --config ${config} init --all --yes --warehouse ${data}/hyperstudy.db && echo "http: { port: $PORT }" >>${config} && chmod 644 ${config}`,
    ),
    step('Start it now and at every boot', `systemctl daemon-reload && systemctl enable --now ${unit}`),
    step('Check its status', `systemctl status ${unit}; journalctl -u ${unit} -n 20 -o cat`),
    step("Let a colleague read the lab's data (after their next login)", `usermod -aG ${user} NAME`),
  ];
}

function commandOf({ node, main }: Pick<InstallationPaths, 'node' | 'main'>): string {
  return `${quote(node)} ${quote(main)}`;
}

export function stepsText(steps: readonly Step[]): string {
  return steps.map(({ why, command }) => `# ${why}\n${command}\n`).join('\n');
}

/** A path quoted as one word of a shell command. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
