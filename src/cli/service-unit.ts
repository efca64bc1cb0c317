import { readFileSync } from 'node:fs';
import { WarehouseError } from '../shared/errors.ts';
import { packaged } from '../shared/package.ts';

/** The user that the service runs as; members of its group read the database. */
export const SERVICE_USER = 'hyperstudy-warehouse';

/** The folder that `StateDirectory=` in the units creates. */
export const STATE_FOLDER = '/var/lib/hyperstudy-warehouse';

/** From here systemd takes the key. */
export const KEY_FILE = '/etc/hyperstudy-warehouse/key';

/** The paths of an installation; all absolute. */
export interface InstallationPaths {
  readonly node: string;
  readonly main: string;
  readonly config: string;
  /** The folder of the SQLite file. */
  readonly data: string;
}

/** What is there, and what the unit is made for. */
export interface Installation {
  readonly paths: InstallationPaths;
  readonly hasConfig: boolean;
  /** Whether the configuration itself names the key. */
  readonly namesKey: boolean;
  /** The SQLite file, which may not exist yet. */
  readonly database: string;
}

/** What is installed: the daemon, a timer without a daemon, or a daemon for each of several labs. */
export type ServiceKind = 'daemon' | 'timer' | 'labs';

/** The units of each, the one that is enabled last. */
export const UNIT_NAMES: Readonly<Record<ServiceKind, readonly string[]>> = {
  daemon: ['hyperstudy-warehouse.service'],
  timer: ['hyperstudy-warehouse-sync.service', 'hyperstudy-warehouse-sync.timer'],
  labs: ['hyperstudy-warehouse@.service'],
};

/** The paths of a lab, whose name systemd puts in the place of `%i`. */
export function labPaths(lab: string): Pick<InstallationPaths, 'config' | 'data'> {
  return { config: `/etc/hyperstudy-warehouse/${lab}/config.yaml`, data: `${STATE_FOLDER}-${lab}` };
}

/** Folders that `ProtectHome=yes` hides. */
const HOMES = ['/home', '/root', '/run/user'];

/** A unit as this package ships it, with the default paths replaced by those of an installation. */
export function renderUnit(name: string, { node, main, config, data }: InstallationPaths): string {
  const shipped = readFileSync(packaged('systemd', name), 'utf8');
  if (name.endsWith('.timer')) return shipped;
  const command = name === 'hyperstudy-warehouse-sync.service' ? 'sync now' : 'daemon';
  const isOfLabs = UNIT_NAMES.labs.includes(name);
  const configured = isOfLabs ? labPaths('%i').config : argument(config);
  const unit = replaceLine(
    shipped,
    'ExecStart=',
    `ExecStart=${word(node)} ${argument(main)} --config ${configured} ${command}`,
  );
  const seen = [node, main, ...(isOfLabs ? [] : [config, data])].some((path) =>
    HOMES.some((home) => isWithin(path, home)),
  )
    ? replaceLine(unit, 'ProtectHome=', 'ProtectHome=read-only')
    : unit;
  if (isOfLabs || isWithin(data, STATE_FOLDER)) return seen;
  const mounted = replaceLine(seen, 'After=', `After=network-online.target\nRequiresMountsFor=${word(data)}`);
  return replaceLine(mounted, 'ProtectSystem=', `ProtectSystem=strict\nReadWritePaths=${word(data)}`);
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function replaceLine(unit: string, start: string, line: string): string {
  const lines = unit.split('\n');
  const at = lines.findIndex((text) => text.startsWith(start));
  if (at === -1) throw new Error(`the unit has no line that starts with ${start}`);
  return lines.with(at, line).join('\n');
}

/** A path as one word of a unit (systemd.syntax(7)): quoted where it has spaces, with `%` escaped. */
function word(path: string): string {
  if (/["'\\\p{Cc}]/u.test(path)) {
    throw new WarehouseError(
      'USAGE',
      `systemd cannot name the path ${JSON.stringify(path)}: it has a quote, a backslash or a control character.`,
      {
        hint: 'Move the installation or the data to a folder with a simpler name.',
      },
    );
  }
  const literal = path.replaceAll('%', '%%');
  return /[\s;#]/.test(literal) ? `"${literal}"` : literal;
}

/** An argument of a command line, where an unescaped `$` would start a variable. */
function argument(path: string): string {
  return word(path).replaceAll('$', '$$$$');
}
