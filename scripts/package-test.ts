/**
 * `npm run package-test`: packs the program, installs it on its own with each Node that it promises to run on, and goes
 * through the quick start in an empty folder. What cannot be downloaded is skipped, and said so.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { once } from 'node:events';

const TOP = join(import.meta.dirname, '..');
const NODES = [22, 24];
const PLATFORM = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ENETUNREACH)\b/;

type Environment = Readonly<Record<string, string>>;

/** What it printed; undefined where the registry cannot be reached. */
function npm(args: readonly string[], env: Environment, cwd: string): string | undefined {
  const ran = spawnSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, env, encoding: 'utf8' });
  if (ran.status === 0) return ran.stdout;
  if (OFFLINE.test(ran.stderr)) return undefined;
  throw new Error(`npm ${args.join(' ')}: ${ran.stderr}`);
}

/** Runs `hsw` and requires its exit status and some words. */
function hsw(args: readonly string[], at: { cwd: string; env: Environment }, says: string, status = 0): void {
  const started = Date.now();
  const ran = spawnSync('hsw', args, { ...at, encoding: 'utf8' });
  const all = `${ran.stdout}${ran.stderr}`;
  if (ran.status !== status || !all.includes(says))
    throw new Error(`hsw ${args.join(' ')} ended with ${ran.status}, and not with "${says}":\n${all}`);
  console.log(`  hsw ${args.join(' ')}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function quickStart(cwd: string, env: Environment): Promise<void> {
  hsw(['--version'], { cwd, env }, '.');
  hsw(['demo'], { cwd, env }, 'Query it');
  const simulator = spawn('hsw', ['simulator', '--port', '0'], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    simulator.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const given = (): Environment =>
      Object.fromEntries(
        [...said.matchAll(/^ *export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']): [string, string] => [
          name,
          value,
        ]),
      );
    while (Object.keys(given()).length < 2) await once(simulator.stdout, 'data');
    const at = { cwd, env: { ...env, ...given() } };
    hsw(['init', '--yes', '--all'], at, 'Wrote');
    hsw(['doctor'], at, '✓ key');
    hsw(['plan'], at, 'No request was sent');
    hsw(['sync', 'now'], at, '');
    hsw(['status'], at, 'omplete');
    hsw(['query', 'SELECT count(*) AS messages FROM chat'], at, 'messages');
  } finally {
    simulator.kill('SIGINT');
  }
}

/** Says how it went, or that it was skipped. */
async function tryOn(version: number, tarball: string, folder: string): Promise<string> {
  const own = join(folder, `node-${version}`);
  const installed = join(folder, `installed-${version}`);
  const [cwd, home] = [join(folder, `empty-${version}`), join(folder, `home-${version}`)];
  for (const made of [own, installed, cwd, home]) mkdirSync(made);
  // Of the environment only the path, so that nothing of the checkout helps.
  const plain = { PATH: process.env['PATH'] ?? '', HOME: home };
  const cache = { ...process.env, HOME: process.env['HOME'] ?? home } as Environment;
  if (npm(['install', '--prefix', own, `${PLATFORM}@${version}`], cache, own) === undefined)
    return `Node ${version}: skipped, as the registry cannot be reached`;
  const bin = join(own, 'node_modules', PLATFORM, 'bin');
  const npmPath = { ...cache, PATH: [bin, cache['PATH']].join(delimiter) };
  if (npm(['install', '--global', '--prefix', installed, tarball], npmPath, cwd) === undefined)
    return `Node ${version}: skipped, as the registry cannot be reached for the dependencies`;
  const env = { ...plain, PATH: [bin, join(installed, 'bin'), '/usr/bin', '/bin'].join(delimiter) };
  await quickStart(cwd, env);
  return `Node ${execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()}: the quick start works`;
}

const folder = mkdtempSync(join(tmpdir(), 'hsw-package-'));
try {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: TOP });
  const [tarball = ''] = readdirSync(folder);
  console.log(`Packed ${tarball}`);
  for (const version of NODES) console.log(await tryOn(version, join(folder, tarball), folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
