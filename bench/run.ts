/**
 * `npm run bench [-- --rows 200000 --runs 3 --only hsw,floor --out bench/results]`: what a first read, an idle poll and
 * upstream changes cost our command, the least that is possible here, and its peers, on the same local server. Writes
 * `first-read.json` and `first-read.md`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileMb, floor, ours, peers, type Contender, type Mode } from './contenders.ts';
import { commit, machine, ownVersions } from './machine.ts';
import { measure, type Cost } from './measure.ts';
import { measureOwn } from './own.ts';
import { installPeers, type Python } from './python.ts';
import { report } from './report.ts';
import { medianCost, type ContenderResult, type Results } from './results.ts';
import { startService } from './service.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    /** How long the daemon is watched: over two minutes, so that the minute's limit was spent and came back. */
    seconds: { type: 'string', default: '130' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    venv: { type: 'string', default: join(tmpdir(), 'hyperstudy-warehouse-bench') },
  },
});
const [rows, runs, seconds] = [Number(values.rows), Number(values.runs), Number(values.seconds)];
const wanted = values.only?.split(',');
const isWanted = ({ name }: Contender) => wanted === undefined || wanted.some((part) => name.startsWith(part));

const python: Python = peers('').some(isWanted) ? installPeers(values.venv) : { missing: 'not asked for' };
const top = mkdtempSync(join(tmpdir(), 'hsw-bench-'));
const service = await startService(rows);
try {
  const results = await benchmark();
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'first-read.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(values.out, 'first-read.md'), report(results));
  process.stdout.write(report(results));
} finally {
  service.stop();
  rmSync(top, { recursive: true, force: true });
}

async function benchmark(): Promise<Results> {
  const trials = [ours, floor, ...('python' in python ? peers(python.python) : [])]
    .filter(isWanted)
    .map((contender, i) => ({
      contender,
      folder: join(top, String(i)),
      reads: [] as Cost[],
      polls: [] as Cost[],
    }));
  // One after the other and again, so that what else the machine does meets all of them.
  for (let run = 0; run < runs; run++) {
    for (const { contender, folder, reads } of trials) {
      rmSync(folder, { recursive: true, force: true });
      contender.prepare(folder, service.url);
      reads.push(await cost(contender, 'read', folder));
    }
  }
  const sizes = trials.map(({ contender, folder }) => fileMb(folder, contender));
  for (let run = 0; run < runs; run++) {
    for (const { contender, folder, polls } of trials) polls.push(await cost(contender, 'poll', folder));
  }
  const large = trials.find(({ contender }) => contender === ours)?.folder;
  const own = large === undefined ? undefined : await measureOwn({ service, large, top, runs, seconds });
  const upstream = await service.change();
  const contenders: ContenderResult[] = [];
  for (const [i, { contender, folder, reads, polls }] of trials.entries()) {
    const after = async (mode: Mode) => ({
      ...(await cost(contender, mode, folder)),
      noticed: await contender.look({ folder, url: service.url, changes: upstream }),
    });
    contenders.push({
      name: contender.name,
      read: { ...medianCost(reads), fileMb: sizes[i] ?? NaN },
      poll: medianCost(polls),
      changes: { poll: await after('poll'), full: await after('full') },
    });
  }
  return {
    date: new Date().toISOString(),
    commit: commit(),
    rows,
    runs,
    versions: { ...ownVersions(), ...('versions' in python ? python.versions : {}) },
    machine: machine(top),
    skipped: 'missing' in python ? [`SDK + pandas, sqlite-utils and dlt: ${python.missing}`] : [],
    contenders,
    ...(own === undefined ? {} : { own }),
  };
}

async function cost(contender: Contender, mode: Mode, folder: string): Promise<Cost> {
  await service.requests();
  const measured = await measure(contender.command(mode, folder, service.url));
  return { ...measured.cost, requests: await service.requests() };
}
