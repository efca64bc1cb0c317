import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  readonly name: string;
  /** Everything behind the name. */
  readonly text: string;
}

export function parseDockerfile(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), text: rest.trim() };
    });
}

/** The stages in order: each begins with its FROM. */
export function stagesOf(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** The words of an instruction in exec form; throws for the shell form. */
export function execForm(text: string): string[] {
  return z.array(z.string()).min(1).parse(JSON.parse(text));
}

export interface Copy {
  /** The stage it takes from; undefined for the context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly to: string;
}

export function parseCopy(text: string): Copy {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), to: paths.at(-1) ?? '' };
}

/** The files that git knows and `.dockerignore` lets through; it may only close everything and open names again. */
export function contextFiles(repository: string): string[] {
  const [first, ...rest] = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || rest.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore has a form that this test does not know');
  const opened = rest.map((line) => line.slice(1));
  return execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' })
    .split('\0')
    .filter((file) => opened.some((name) => file === name || file.startsWith(`${name}/`)));
}

/** A stage as far as it is built: a folder that stands for `/`. */
export interface Image {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where npm, its cache and Node are inside; the base image would bring the first and the last. */
const TOOLS = '/tools';

/** What the base image brings, taken from this computer: its programs, read-only, and this Node with npm. */
export function baseImage(root: string, npmCli: string): Image {
  for (const folder of ['proc', 'dev', 'tmp', 'etc', 'run/secrets', `${TOOLS}/bin`, `${TOOLS}/npm`, `${TOOLS}/cache`])
    mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['usr', 'bin', 'sbin', 'lib', 'lib64']) {
    const host = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (host?.isSymbolicLink() === true) symlinkSync(readlinkSync(`/${name}`), join(root, name));
    else if (host !== undefined) mkdirSync(join(root, name));
  }
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  for (const file of [
    '/etc/resolv.conf',
    '/etc/hosts',
    '/etc/nsswitch.conf',
    '/etc/passwd',
    '/etc/group',
    certificates,
  ]) {
    if (file === undefined || !existsSync(file)) continue;
    mkdirSync(join(root, dirname(file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
  copyFileSync(process.execPath, join(root, TOOLS, 'bin/node'));
  writeFileSync(join(root, TOOLS, 'bin/npm'), `#!/bin/sh\nexec node ${TOOLS}/npm/bin/npm-cli.js "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(root, TOOLS, 'npm-folder'), dirname(dirname(npmCli)));
  return { root, workdir: '/', env: { PATH: `${TOOLS}/bin:/usr/bin:/bin:/usr/sbin:/sbin` } };
}

/** Mounts what the image takes from this computer, in a namespace of its own, and goes there. */
const ENTER = `
set -e
for d in usr bin sbin lib lib64; do
  if [ -d "$ROOT/$d" ] && [ ! -L "$ROOT/$d" ]; then mount --bind "/$d" "$ROOT/$d"; mount -o remount,ro,bind "$ROOT/$d"; fi
done
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
for d in null urandom; do touch "$ROOT/dev/$d"; mount --bind "/dev/$d" "$ROOT/dev/$d"; done
mount --bind "$(cat "$ROOT/tools/npm-folder")" "$ROOT/tools/npm"
`;
const WRITABLE = `
mount --bind "$CACHE" "$ROOT/tools/cache"
exec chroot "$ROOT" /bin/sh -c 'cd "$WORKDIR" && eval "$COMMAND"'
`;
/** As compose.yaml runs it: a root that cannot be written, a user that is not root, no capabilities. */
const LOCKED = `
mkdir -p "$ROOT/data"
mount --bind "$ROOT" "$ROOT.ro" && mount -o remount,ro,bind "$ROOT.ro"
for d in usr bin sbin lib lib64 proc dev; do
  if [ -d "$ROOT/$d" ] && [ ! -L "$ROOT/$d" ]; then mount --rbind "$ROOT/$d" "$ROOT.ro/$d"; fi
done
mount --bind "$ROOT/data" "$ROOT.ro/data"
cd "$ROOT.ro"
exec chroot "$ROOT.ro" /usr/bin/setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \\
  /bin/sh -c 'cd "$WORKDIR" && exec "$@"' sh "$@"
`;

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

/** Does not block, as what runs may talk to a server of this process. */
function inNamespace(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeout: number,
): Promise<Ran> {
  return start([], script, args, env, timeout).ended;
}

/** Starts a script in a mount namespace, and in others that `namespaces` name. */
function start(
  namespaces: readonly string[],
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeout: number,
): { readonly pid: number | undefined; readonly ended: Promise<Ran> } {
  const words = ['--mount', '--propagation', 'private', ...namespaces, '/bin/sh', '-c', script, 'sh', ...args];
  const child = spawn('unshare', words, { env, timeout, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ran>((done) => {
    child.on('error', (error) => done({ status: null, output: error.message }));
    child.on('close', (status) => done({ status, output }));
  });
  return { pid: child.pid, ended };
}

/** Settings by which this computer reaches a registry. */
function networkEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) =>
        /^(npm_config_registry|npm_config_\w*proxy|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
      )
      .map(([name, value]) => [name, value ?? '']),
  );
}

/** Whether this process may mount and chroot, which needs root and a kernel that lets it. */
export async function canEnter(): Promise<boolean> {
  const path = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const ran = await inNamespace('mount -t tmpfs tmpfs /mnt && chroot / /usr/bin/setpriv --version', [], path, 10_000);
  return ran.status === 0;
}

/** Runs a RUN line as root in the image. */
export function runStep(image: Image, command: string, cache: string): Promise<Ran> {
  const { root, workdir, env } = image;
  const settings = {
    ...networkEnv(),
    npm_config_cache: `${TOOLS}/cache`,
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retries: '0',
    HOME: '/tmp',
  };
  return inNamespace(
    `${ENTER}${WRITABLE}`,
    [],
    { ...settings, ...env, ROOT: root, WORKDIR: workdir, CACHE: cache, COMMAND: command },
    180_000,
  );
}

/** Runs a command as the container does. */
export function runLocked(
  image: Image,
  user: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return inNamespace(`${ENTER}${LOCKED}`, words, lockedEnv(image, user, env), 60_000);
}

function lockedEnv(image: Image, user: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const { root, workdir } = image;
  mkdirSync(`${root}.ro`, { recursive: true });
  return { ...image.env, ...env, ROOT: root, WORKDIR: workdir, RUN_AS: user };
}

/** A container that runs. */
export interface Running {
  /** Sends a signal to its first process, as `docker stop` does. */
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ran>;
}

/** Starts a command as the container does: as process 1, which gets no signal that it does not handle. */
export function startLocked(
  image: Image,
  user: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const own = ['--pid', '--fork', '--kill-child'];
  const { pid, ended } = start(own, `${ENTER}${LOCKED}`, words, lockedEnv(image, user, env), 60_000);
  return {
    ended,
    signal(name) {
      const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
      process.kill(Number(z.string().regex(/^\d+$/).parse(first)), name);
    },
  };
}

/** Copies files of the context, or of another image, as COPY does: a folder's content goes into the target. */
export function copyStep(
  image: Image,
  { sources, to }: Copy,
  from: string,
  files: readonly string[] | undefined,
): void {
  const target = join(image.root, resolve(image.workdir, to));
  for (const source of sources) {
    const inside = files?.filter((file) => file === source || file.startsWith(`${source}/`));
    const origin = join(from, source);
    const isFolder = lstatSync(origin).isDirectory();
    const place = isFolder || !to.endsWith('/') ? target : join(target, source);
    if (inside === undefined) {
      cpSync(origin, place, { recursive: true, verbatimSymlinks: true });
      continue;
    }
    for (const file of inside) {
      const at = isFolder ? join(place, file.slice(source.length)) : place;
      mkdirSync(dirname(at), { recursive: true });
      copyFileSync(join(from, file), at);
    }
  }
}
