/**
 * `npm run deb [-- --out DIR] [--uncompressed]`: the program as a package for Debian and Ubuntu, with the Node that it
 * runs on, its units, its user and its folders. Made by Debian's own `dpkg-deb`; nothing is downloaded.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { renderUnit, SERVICE_USER, STATE_FOLDER, UNIT_NAMES } from '../src/cli/service-unit.ts';
import { VERSION } from '../src/shared/version.ts';

const TOP = join(import.meta.dirname, '..');
const PROGRAM = 'usr/lib/hyperstudy-warehouse';
const CONFIG = '/etc/hyperstudy-warehouse/config.yaml';
/** Debian's names of the processors that both Node and better-sqlite3 are built for. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** What the program reads of its own package. */
const SHIPPED = ['dist', 'migrations', 'systemd', 'completions', 'man', 'package.json', 'LICENSE'];
const LIBRARY = ['lib', 'package.json', 'LICENSE', join('prebuilds', `linux-${process.arch}.node`)];

const WRAPPER = `#!/bin/sh
# The command line of HyperStudy Warehouse, on the Node that the package brings.
here=$(dirname "$(readlink -f "$0")")/../lib/hyperstudy-warehouse
exec "$here/node" "$here/dist/main.js" "$@"
`;

const root = mkdtempSync(join(tmpdir(), 'hsw-deb-'));
try {
  chmodSync(root, 0o755);
  console.log(build());
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** Returns the path of the package. @throws Error in words. */
function build(): string {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: TOP }, uncompressed: { type: 'boolean', default: false } },
  });
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Error(`A package for Debian can be made on Linux with ${Object.keys(ARCHITECTURES).join(' or ')} only.`);
  if (spawnSync('dpkg-deb', ['--version']).status !== 0)
    throw new Error('A package for Debian is made by dpkg-deb, which this computer does not have.');
  stageProgram();
  stageService();
  stageDocs();
  stageControl(architecture);
  const out = join(values.out, `hyperstudy-warehouse_${VERSION}_${architecture}.deb`);
  mkdirSync(values.out, { recursive: true });
  const compression = values.uncompressed ? '-Znone' : '-Zxz';
  execFileSync('dpkg-deb', [compression, '--root-owner-group', '--build', root, out], { stdio: 'ignore' });
  return out;
}

function stage(path: string, text: string | Buffer, mode = 0o644): void {
  const to = join(root, path);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, text);
  chmodSync(to, mode);
}

function stageCopy(from: string, to: string): void {
  cpSync(from, join(root, to), { recursive: true, dereference: true });
}

function stageProgram(): void {
  for (const name of SHIPPED) stageCopy(join(TOP, name), join(PROGRAM, name));
  const library = join('node_modules', 'better-sqlite3');
  for (const name of LIBRARY) stageCopy(join(TOP, library, name), join(PROGRAM, library, name));
  stageCopy(realpathSync(process.execPath), join(PROGRAM, 'node'));
  stage('usr/bin/hsw', WRAPPER, 0o755);
  // Whatever the umask of who builds it.
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', root]);
}

function stageService(): void {
  const paths = { node: `/${PROGRAM}/node`, main: `/${PROGRAM}/dist/main.js`, config: CONFIG, data: STATE_FOLDER };
  for (const name of Object.values(UNIT_NAMES).flat())
    stage(join('usr/lib/systemd/system', name), renderUnit(name, paths));
  stage('usr/lib/sysusers.d/hyperstudy-warehouse.conf', `u ${SERVICE_USER} - "HyperStudy Warehouse" ${STATE_FOLDER}\n`);
  stage(
    'usr/lib/tmpfiles.d/hyperstudy-warehouse.conf',
    `d ${STATE_FOLDER} 0750 ${SERVICE_USER} ${SERVICE_USER} -\nd ${dirname(CONFIG)} 0755 root root -\n`,
  );
}

function stageDocs(): void {
  const docs = 'usr/share/doc/hyperstudy-warehouse';
  stage('usr/share/man/man1/hsw.1.gz', gzipSync(readFileSync(join(TOP, 'man/hsw.1'))));
  stage('usr/share/bash-completion/completions/hsw', readFileSync(join(TOP, 'completions/hsw.bash')));
  stage('usr/share/zsh/vendor-completions/_hsw', readFileSync(join(TOP, 'completions/_hsw')));
  stage('usr/share/fish/vendor_completions.d/hsw.fish', readFileSync(join(TOP, 'completions/hsw.fish')));
  stage(join(docs, 'changelog.gz'), gzipSync(readFileSync(join(TOP, 'CHANGELOG.md'))));
  stage(join(docs, 'config.example.yaml'), readFileSync(join(TOP, 'config.example.yaml')));
  stage(join(docs, 'copyright'), [readFileSync(join(TOP, 'LICENSE'), 'utf8'), nodeLicence()].join('\n'));
}

/** Of the Node that is packed, with the licences of what is built into it. */
function nodeLicence(): string {
  const path = join(dirname(realpathSync(process.execPath)), '..', 'LICENSE');
  const nested = join(TOP, `node_modules/node/node_modules/node-linux-${process.arch}/LICENSE`);
  const found = [path, nested].find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`the licence of ${basename(process.execPath)} was not found`);
  return `Node.js, which the package brings:\n\n${readFileSync(found, 'utf8')}`;
}

function stageControl(architecture: string): void {
  const { description } = z
    .object({ description: z.string() })
    .parse(JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')));
  const kilobytes = execFileSync('du', ['-sk', root], { encoding: 'utf8' }).split('\t')[0] ?? '';
  stage(
    'DEBIAN/control',
    `Package: hyperstudy-warehouse
Version: ${VERSION}
Architecture: ${architecture}
Maintainer: The HyperStudy Warehouse authors <https://github.com/hyperstudy/hyperstudy-warehouse/issues>
Section: science
Priority: optional
Homepage: https://github.com/hyperstudy/hyperstudy-warehouse
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 6), libgcc-s1
Recommends: systemd
Description: exact local copy of HyperStudy data in one SQLite file
 ${description}
`,
  );
  for (const script of ['postinst', 'prerm', 'postrm'])
    stage(join('DEBIAN', script), readFileSync(join(TOP, 'debian', script)), 0o755);
}
