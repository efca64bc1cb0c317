/** The results of the bench as Markdown. */
import type { Cost } from './measure.ts';
import type { ContenderResult, OwnResults, Results } from './results.ts';

/** A goal: what is measured, and at most what it may be. */
export interface Goal {
  readonly what: string;
  readonly most: number;
  readonly unit: string;
  /** Undefined where something that it needs was skipped. */
  readonly found: number | undefined;
}

export function goals({ contenders, own }: Results): Goal[] {
  const read = (name: string) => contenders.find((one) => one.name.startsWith(name))?.read;
  const ratio = (name: string, of: 'cpuSeconds' | 'writtenMb') => {
    const [hsw, other] = [read('hsw')?.[of], read(name)?.[of]];
    return hsw === undefined || other === undefined ? undefined : hsw / other;
  };
  const idle = own?.commands.find(({ name }) => name.includes('nothing new'));
  const status = own?.commands.find(({ name }) => name === '`status`, small');
  return [
    { what: 'CPU of a first read, floor = 1', most: 2.5, unit: '', found: ratio('floor', 'cpuSeconds') },
    { what: 'CPU of a first read, SDK + pandas = 1', most: 1.2, unit: '', found: ratio('SDK', 'cpuSeconds') },
    {
      what: 'CPU of a first read, dlt into DuckDB = 1',
      most: 0.5,
      unit: '',
      found: ratio('dlt → DuckDB', 'cpuSeconds'),
    },
    {
      what: 'CPU of a first read, dlt into SQLite = 1',
      most: 0.5,
      unit: '',
      found: ratio('dlt → SQLite', 'cpuSeconds'),
    },
    { what: 'bytes written in a first read, floor = 1', most: 2, unit: '', found: ratio('floor', 'writtenMb') },
    { what: 'memory (RSS) of a first read', most: 200, unit: ' MB', found: read('hsw')?.maxRssMb },
    { what: 'idle sync of a small warehouse, wall', most: 0.5, unit: ' s', found: idle?.wallSeconds },
    { what: 'event loop of the daemon in a first read, p99', most: 10, unit: ' ms', found: own?.daemon.p99Ms },
    { what: 'page of the daemon in a first read, p99', most: 50, unit: ' ms', found: own?.daemon.page.p99Ms },
    { what: '`status` of a small warehouse, wall', most: 0.3, unit: ' s', found: status?.wallSeconds },
  ];
}

export function report(results: Results): string {
  const { rows, runs, date, commit, machine, versions, skipped, contenders, own } = results;
  const about = [
    `${rows.toLocaleString('en-US')} ratings in pages of 1000 from a local server, ${date.slice(0, 10)}. ${runs === 1 ? 'One run.' : `Medians of ${runs} interleaved runs.`}`,
    aboutMachine(machine, versions, commit),
    ...skipped.map((what) => `**Skipped**: ${what}.`),
  ];
  return (
    [
      '<!-- written by `npm run bench`: do not edit -->',
      '# First read, idle poll, and upstream changes',
      ...about,
      '## First read',
      table(
        costHeads(['file MB']),
        contenders.map(({ name, read }) => [name, ...costCells(read), short(read.fileMb)]),
      ),
      '## Idle poll',
      table(
        costHeads([]),
        contenders.map(({ name, poll }) => [name, ...costCells(poll)]),
      ),
      '## Who notices 50 late rows, 50 edits and 20 deletes',
      'The next poll asks for what is new; then everything is read again. A deleted row counts where it is gone, or marked as missing in the file: hsw deletes it when a second reading, a minute later or more, misses it as well.',
      noticedTable(contenders),
      ...(own === undefined ? [] : ownParts(own)),
      '## Goals',
      table(['goal', 'at most', 'found', ''], goals(results).map(goalCells)),
    ].join('\n\n') + '\n'
  );
}

export function aboutMachine(
  machine: Results['machine'],
  versions: Results['versions'],
  commit: Results['commit'],
): string {
  const of = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const { cpu, cores, load, memoryGb, kernel, fileSystem } = machine;
  return `${cpu}, ${cores} cores shared with other work (load ${load}), ${memoryGb} GB, Linux ${kernel}, files on ${fileSystem}. Versions: ${of.join(', ')}${commit === null ? '' : `, commit ${commit.id.slice(0, 7)}${commit.isChanged ? ' with changes' : ''}`}.`;
}

function ownParts({ eventLoop, daemon, commands, bytesARating }: OwnResults): string[] {
  return [
    '## Commands of hsw',
    `Without “small”, the warehouse is the one above. The event loop of the first read was blocked by its own work for ${short(eventLoop.p99Ms)} ms at the 99th percentile of its turns, ${short(eventLoop.maxMs)} ms at most.`,
    `The daemon, which keeps to the API's limits, read the same: its loop was blocked for ${short(daemon.p99Ms)} ms at the 99th percentile, ${short(daemon.maxMs)} ms at most; its page, asked for ten times a second, answered within ${short(daemon.page.medianMs)} ms in the middle, ${short(daemon.page.p99Ms)} ms at the 99th percentile, and ${short(daemon.page.maxMs)} ms at most.`,
    table(
      costHeads([]),
      commands.map(({ name, ...cost }) => [name, ...costCells(cost)]),
    ),
    '## Bytes of the file for each rating',
    table(
      ['', 'bytes'],
      bytesARating.map(({ name, bytes }) => [name, bytes.toFixed(1)]),
    ),
  ];
}

function noticedTable(contenders: readonly ContenderResult[]): string {
  const heads = ['', 'how', 'late', 'edited', 'deleted', 'requests', 'CPU s'];
  return table(
    heads,
    contenders.flatMap(({ name, changes: { poll, full } }) =>
      (
        [
          ['next poll', poll],
          ['all again', full],
        ] as const
      ).map(([how, { noticed, requests, cpuSeconds }]) => [
        ...[name, how, `${noticed.late} / 50`, `${noticed.edited} / 50`, `${noticed.deleted} / 20`],
        ...[String(requests), seconds(cpuSeconds)],
      ]),
    ),
  );
}

function goalCells({ what, most, unit, found }: Goal): string[] {
  const verdict = found === undefined ? 'not measured' : found <= most ? 'met' : '**not met**';
  return [what, `${most}${unit}`, found === undefined ? '–' : `${found.toFixed(2)}${unit}`, verdict];
}

const costHeads = (more: readonly string[]) => [
  ...['', 'requests', 'CPU s', 'wall s', 'most RSS MB', 'written MB', 'to disk MB'],
  ...more,
];

function costCells({ requests, cpuSeconds, wallSeconds, maxRssMb, writtenMb, toDiskMb }: Cost): string[] {
  return [
    String(requests),
    seconds(cpuSeconds),
    seconds(wallSeconds),
    short(maxRssMb),
    short(writtenMb),
    short(toDiskMb),
  ];
}

const seconds = (value: number) => value.toFixed(2);
const short = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
