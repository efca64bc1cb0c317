import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ran } from './command.ts';

/** Where the checkout lies for what runs under the manager. */
export const CHECKOUT = '/opt/hyperstudy-warehouse';

/** Moves into a control group of its own, starts the rest there, and removes the group when that has ended. */
const OUTSIDE = `
set -e
mkdir -p "$W/cgroups"
mount -t cgroup2 none "$W/cgroups"
group="$W/cgroups/hsw-test-$$"
mkdir "$group"
status=0
GROUP="$group" setpriv --pdeathsig KILL sh -c 'echo $$ >"$GROUP/cgroup.procs" && exec unshare --mount --propagation private --cgroup --pid --fork --kill-child --uts --ipc sh -c "$INSIDE"' || status=$?
for i in 1 2 3 4 5 6 7 8 9 10; do
  find "$group" -depth -type d -exec rmdir {} \\; 2>/dev/null && break
  sleep 0.1
done
exit "$status"
`;

/**
 * Makes a computer of this one that keeps no change, and starts systemd there as its first process with none of this
 * computer's units but the journal's. Its root is a real one, as no user namespace may be made in a changed root, and
 * what is mounted is seen by everyone, as credentials come that way.
 */
const INSIDE = `
set -e
mount -t tmpfs -o mode=755 tmpfs "$W/memory"
mkdir "$W/memory/upper" "$W/memory/work" "$W/memory/root"
cd "$W/memory/root"
mount -t overlay -o "lowerdir=/,upperdir=$W/memory/upper,workdir=$W/memory/work" overlay .
cd "$W/memory/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for d in null zero full random urandom tty; do touch "dev/$d"; mount --bind "/dev/$d" "dev/$d"; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs var/lib
mkdir -p ".$CHECKOUT" run/units
mount --bind "$REPOSITORY" ".$CHECKOUT"
cd run/units
for u in journald.service journald.socket journald-dev-log.socket; do cp "/lib/systemd/system/systemd-$u" .; done
for t in basic sysinit sockets timers multi-user shutdown network-online local-fs time-sync time-set umount; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >"$t.target"
done
printf '[Unit]\\nDefaultDependencies=no\\nRequires=systemd-journald.service\\nWants=timers.target multi-user.target\\n' >default.target
cd "$W/memory/root"
mkdir -p .old
pivot_root . .old
umount -l /.old
mount --make-rshared /
exec env -i container=hsw SYSTEMD_UNIT_PATH="$UNITS" PATH="$PATH" /lib/systemd/systemd --system --log-target=journal --show-status=no
`;

const UNITS = '/run/units:/etc/systemd/system';
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** A systemd that manages services. */
export interface Manager {
  /** Runs shell commands as root under it. */
  run(script: string, input?: string): Promise<Ran>;
  /** Properties of a unit, as `systemctl show` names them. */
  show<K extends string>(unit: string, ...names: K[]): Promise<Record<K, string>>;
  stop(): Promise<void>;
}

/** Starts a systemd of its own in the folder, or says why that cannot be. */
export async function startManager(folder: string, repository: string): Promise<Manager | { missing: string }> {
  if (process.geteuid?.() !== 0) return { missing: 'only root can start one' };
  mkdirSync(join(folder, 'memory'));
  const env = { PATH, UNITS, CHECKOUT, INSIDE, W: folder, REPOSITORY: repository };
  const words = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', OUTSIDE];
  const child = spawn('setpriv', words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => (said += error.message));
    child.on('close', resolve);
  });
  const first = () => childOf(childOf(child.pid));
  const manager: Manager = {
    run: (script, input = '') => enter(first(), script, input),
    async show(unit, ...names) {
      const { stdout } = await manager.run(`systemctl show ${unit} ${names.map((name) => `-p ${name}`).join(' ')}`);
      const found = new Map(stdout.split('\n').map((line) => [line.split('=', 1)[0], line.replace(/^[^=]*=/, '')]));
      return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ''])) as Record<
        (typeof names)[0],
        string
      >;
    },
    async stop() {
      const pid = first();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
  for (let tries = 0; tries < 150 && child.exitCode === null; tries += 1) {
    const { stdout } = await manager.run('systemctl is-active default.target');
    if (stdout.trim() === 'active') return manager;
    await delay(200);
  }
  await manager.stop();
  return { missing: `one cannot be started here: ${said.trim().split('\n').at(-1) ?? ''}` };
}

function childOf(pid: number | undefined): number | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return first === '' ? undefined : Number(first);
  } catch {
    return undefined;
  }
}

function enter(pid: number | undefined, script: string, input: string): Promise<Ran> {
  if (pid === undefined) return Promise.resolve({ status: null, stdout: '', stderr: 'it does not run' });
  // Node's pipes are sockets, which no one can open by the name /dev/stdin.
  const words = [
    '-t',
    String(pid),
    '-m',
    '-p',
    '-u',
    '-i',
    '-C',
    '-r',
    '-w',
    'sh',
    '-c',
    'cat | sh -c "$1"',
    'sh',
    script,
  ];
  return new Promise((resolve) => {
    const child = execFile(
      'nsenter',
      words,
      { env: { PATH, SYSTEMD_UNIT_PATH: UNITS }, timeout: 90_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ status, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}
