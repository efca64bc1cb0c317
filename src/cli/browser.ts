import { spawn } from 'node:child_process';

/** What decides how an address is opened. */
export interface Desk {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** How long an opener is watched for failure: some stay until the browser is closed, others end at once. */
const WATCHED_MS = 2000;

/**
 * Opens an address in the user's browser.
 * @returns why that was not possible; undefined where it was.
 */
export async function openInBrowser(url: string, desk: Desk): Promise<string | undefined> {
  const openers = openersFor(desk);
  if (typeof openers === 'string') return openers;
  let why = '';
  for (const [program = '', ...args] of openers) {
    const failed = await start(program, [...args, url], desk);
    if (failed === undefined) return undefined;
    why = failed;
  }
  return why;
}

/** The commands that open an address here, in the order in which they are tried, or why there can be none. */
export function openersFor({ env, platform }: Desk): readonly (readonly string[])[] | string {
  const isRemote = (env['SSH_CONNECTION'] ?? '') !== '';
  const noScreen = isRemote ? 'this is a connection by SSH' : 'there is no screen here';
  // Not `start`, which would let cmd.exe read the address as a command.
  if (platform === 'win32') return isRemote ? noScreen : [['rundll32.exe', 'url.dll,FileProtocolHandler']];
  if (platform === 'darwin') return isRemote ? noScreen : [['open']];
  // An editor that works on another computer passes addresses back to it by this variable.
  const browser = env['BROWSER'] ?? '';
  const chosen = browser !== '' && !/[\s:%]/.test(browser) ? [[browser]] : [];
  const windows = (env['WSL_DISTRO_NAME'] ?? '') === '' ? [] : [['wslview']];
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => (env[name] ?? '') !== '');
  const all = [...chosen, ...windows, ...(hasScreen ? [['xdg-open']] : [])];
  return all.length === 0 ? noScreen : all;
}

/** Starts a program that outlives this one; says why it failed. */
function start(program: string, args: readonly string[], { env }: Desk): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: withoutSecrets(env), detached: true, stdio: 'ignore' });
    const watched = setTimeout(resolve, WATCHED_MS, undefined);
    const end = (why?: string) => {
      clearTimeout(watched);
      resolve(why);
    };
    child.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ENOENT' ? `${program} is not installed` : `${program} could not be started`),
    );
    child.on('exit', (status) => end(status === 0 ? undefined : `${program} failed`));
    child.unref();
  });
}

/** A browser needs no key of the API. */
function withoutSecrets(env: Desk['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HYPERSTUDY_')));
}
