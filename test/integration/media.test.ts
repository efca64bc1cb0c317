import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { personLines } from '../../src/export/person.ts';
import { compareMedia } from '../../src/media/compare.ts';
import { fetchMedia, wantedBy, type MediaOptions } from '../../src/media/round.ts';
import { silentLog } from '../../src/shared/log.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { HOUR_MS } from '../../src/shared/time.ts';
import { contentOf, type LoggedDownload, type MediaFault } from '../../src/simulator/media.ts';
import { countMedia, placeOf } from '../../src/warehouse/media.ts';
import { openLab, type Lab } from '../support/lab.ts';

const DAY = 24 * HOUR_MS;

/** A lab whose recordings were read, and what the server of files does wrong. */
async function mediaLab(rooms = 1) {
  const faults: { now: ((download: LoggedDownload, n: number) => MediaFault | undefined) | undefined } = {
    now: undefined,
  };
  const lab = await openLab({
    world: { experiments: 1, roomsPerExperiment: rooms },
    mediaFault: (...args) => faults.now?.(...args),
  });
  await lab.sync({ selection: { data: ['rooms', 'recordings', 'participants'] } });
  const { config } = lab.context();
  const folder = join(dirname(lab.warehouse.path), 'media');
  const set = { ...config, media: { ...config.media, recordings: true, path: folder, maxBytesPerHour: 1e12 } };
  const fetch = (change: Partial<MediaOptions> = {}) =>
    fetchMedia({
      ...lab.context(),
      config: set,
      clock: { ...systemClock, now: () => lab.now },
      log: silentLog,
      signal: new AbortController().signal,
      most: 100,
      ...change,
    });
  return { lab, folder, fetch, faults, config: set, experimentId: lab.simulator.world.experimentIds[0] ?? '' };
}

type Row = Readonly<Record<string, string | number | null>>;
const rowsOf = ({ warehouse: { db } }: Lab) =>
  db.prepare<[], Row>('SELECT * FROM media_files ORDER BY experiment_id, key').all();

/** Every file on the disk, by its path below the media folder. */
const onDisk = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
        .sort()
    : [];

/** Whether every recording's file is held with the bytes that the server has, and nothing else is on the disk. */
function expectHeld(lab: Lab, folder: string): void {
  const { world, now } = lab.simulator;
  const records = world.experimentIds.flatMap((id) => world.records('recordings', id, now()));
  const rows = rowsOf(lab);
  expect(rows.map(({ status }) => status)).toEqual(records.map(() => 'held'));
  for (const record of records) {
    const row = rows.find(({ recording_id: id }) => id === record['recordingId']);
    const content = readFileSync(placeOf(lab.warehouse.db, String(row?.['path'])));
    expect(content.equals(contentOf(String(record['egressId']), Number(record['fileSize'])))).toBe(true);
    expect(row).toMatchObject({
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      participant_id: record['participantId'],
      video_offset: record['videoOffset'],
    });
  }
  expect(onDisk(folder)).toHaveLength(records.length);
}

describe('the files of recordings', () => {
  it('are downloaded whole, with their digest, offset and the clock zero of their room beside them', async () => {
    const { lab, folder, fetch } = await mediaLab(2);
    expect(await fetch()).toMatchObject({ fetched: 4, failed: 0 });
    expectHeld(lab, folder);
    const zeros = new Map(
      lab.warehouse.db.prepare<[], [string, string]>('SELECT id, started_at FROM rooms').raw().all(),
    );
    for (const { room_id: room, room_zero: zero } of rowsOf(lab)) expect(zero).toBe(zeros.get(String(room)));
    const { requests, downloads } = lab.simulator;
    expect(requests.filter(({ path }) => path.includes('/download/'))).toHaveLength(4);
    expect(downloads.map(({ key, status }) => [key, status])).toEqual(Array(4).fill([undefined, 200]));
    // Nothing is asked for again.
    expect(await fetch()).toMatchObject({ fetched: 0, failed: 0 });
    expect(downloads).toHaveLength(4);
  });

  it('are only those of the wanted types and experiments', async () => {
    const { fetch, config } = await mediaLab();
    const audio = { ...config, media: { ...config.media, types: ['audio' as const] } };
    expect(await fetch({ config: audio })).toMatchObject({ fetched: 0 });
    const other = { ...config, experiments: [{ id: 'exp_other' }] } as typeof config;
    expect(await fetch({ config: other })).toMatchObject({ fetched: 0 });
  });

  it('are no more than the bandwidth allows', async () => {
    const { fetch, config } = await mediaLab();
    let slept = 0;
    const clock = { ...systemClock, uptime: () => slept, sleep: (ms: number) => Promise.resolve(void (slept += ms)) };
    const { bytes } = await fetch({ config: { ...config, media: { ...config.media, maxBytesPerHour: 1e6 } }, clock });
    expect(slept / HOUR_MS).toBeGreaterThan((bytes / 1e6) * 0.99);
  });
});

interface Case {
  /** The fault of the nth download. */
  readonly fault: (n: number, download: LoggedDownload) => MediaFault | undefined;
  /** What the first round says of the files. */
  readonly problem: string | null;
  /** Later rounds without the fault, after which all is held. */
  readonly later?: number;
}

const always = (fault: MediaFault) => () => fault;
const first = (fault: MediaFault) => (n: number) => (n === 0 ? fault : undefined);

const CASES: Readonly<Record<string, Case>> = {
  'an address that has expired': { fault: first({ kind: 'status', status: 400 }), problem: null },
  'a file that may not be read': { fault: always({ kind: 'status', status: 403 }), problem: 'refused', later: 1 },
  'a file that is gone': { fault: always({ kind: 'status', status: 404 }), problem: 'missing', later: 1 },
  'a server that fails once': { fault: first({ kind: 'status', status: 503 }), problem: null },
  'a server that fails': { fault: always({ kind: 'status', status: 500 }), problem: 'failed', later: 1 },
  'a redirect to another server': {
    fault: always({ kind: 'status', status: 302, location: 'https://elsewhere.example.org/x' }),
    problem: 'redirected',
    later: 1,
  },
  'a connection that breaks off': { fault: first({ kind: 'reset', afterBytes: 9000 }), problem: null },
  'a connection that breaks off every time': {
    fault: always({ kind: 'reset', afterBytes: 5000 }),
    problem: 'broken',
    later: 1,
  },
  'a part that the server sends whole': {
    fault: (n) => (n === 0 ? { kind: 'reset', afterBytes: 9000 } : n === 1 ? { kind: 'ignoresRange' } : undefined),
    problem: null,
  },
  'a part that is another than asked for': {
    fault: (n) => (n === 0 ? { kind: 'reset', afterBytes: 9000 } : n === 1 ? { kind: 'wrongPart' } : undefined),
    problem: null,
  },
  'another file than the part belongs to': {
    fault: (n) => (n === 0 ? { kind: 'other' } : undefined) && { kind: 'reset', afterBytes: 9000 },
    problem: null,
  },
  'a file that is shorter than said': { fault: always({ kind: 'shrunk', by: 100 }), problem: 'other-size', later: 1 },
  'a server that is silent': { fault: always({ kind: 'silent' }), problem: 'slow', later: 1 },
};

describe('a download with', () => {
  it('any fault: nothing half has a final name, and later all is held', async () => {
    const { lab, folder, fetch, faults, config } = await mediaLab();
    const quick = { ...config, api: { ...config.api, timeoutMs: 150 } };
    for (const [name, { fault, problem, later = 0 }] of Object.entries(CASES)) {
      lab.warehouse.db.exec('DELETE FROM media_files');
      rmSync(folder, { recursive: true, force: true });
      const start = lab.simulator.downloads.length;
      faults.now = (download, n) => fault(n - start, download);
      await fetch({ config: quick });
      if (problem !== null) {
        const states = rowsOf(lab).map((row) => [row['status'], row['problem']]);
        expect(states, name).toEqual(Array(2).fill(['missing', problem]));
        expect(onDisk(folder).filter((file) => !file.endsWith('.part'))).toEqual([]);
        const problems = [{ problem, files: 2 }];
        expect(countMedia(lab.warehouse.db, wantedBy(config))).toMatchObject({ wanted: 2, held: 0, problems });
        // It is not tried again at once.
        const before = lab.simulator.downloads.length;
        await fetch();
        expect(lab.simulator.downloads, name).toHaveLength(before);
      }
      faults.now = undefined;
      lab.now += later * DAY;
      await fetch();
      expectHeld(lab, folder);
    }
  });

  it('a break continues where it stopped', async () => {
    const { lab, folder, fetch, faults } = await mediaLab();
    faults.now = (_, n) => (n === 0 ? { kind: 'reset', afterBytes: 9000 } : undefined);
    await fetch();
    expectHeld(lab, folder);
    expect(lab.simulator.downloads.map(({ range, status }) => [range, status])).toEqual([
      [undefined, 200],
      ['bytes=9000-', 206],
      [undefined, 200],
    ]);
  });

  it('a full disk ends the round with WAREHOUSE_FULL, and the next one goes on', async () => {
    const { lab, folder, fetch } = await mediaLab();
    const full = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    expect(await fetch({ pace: full })).toMatchObject({ fetched: 0, stopped: { code: 'WAREHOUSE_FULL' } });
    expect(onDisk(folder).filter((file) => !file.endsWith('.part'))).toEqual([]);
    await fetch();
    expectHeld(lab, folder);
  });

  it('a link in the place of the file is not followed', async () => {
    const { lab, folder, fetch } = await mediaLab();
    await fetch({ most: 1 });
    const [row] = rowsOf(lab);
    const file = placeOf(lab.warehouse.db, String(row?.['path']));
    const target = join(dirname(folder), 'target');
    writeFileSync(target, 'mine');
    rmSync(file);
    symlinkSync(target, `${file}.part`);
    expect(await fetch()).toMatchObject({ stopped: { code: 'WAREHOUSE_UNWRITABLE' } });
    expect(readFileSync(target, 'utf8')).toBe('mine');
  });

  it('a file of a size that two readings agree on is held, and said', async () => {
    const { lab, fetch, faults } = await mediaLab();
    faults.now = always({ kind: 'shrunk', by: 100 });
    await fetch();
    lab.now += DAY;
    await fetch();
    expect(rowsOf(lab).map((row) => [row['status'], row['problem']])).toEqual(Array(2).fill(['held', 'other-size']));
  });
});

describe('a file that is held', () => {
  it('is compared by size and content, and downloaded again where it is lost or cut', async () => {
    const { lab, folder, fetch } = await mediaLab(2);
    await fetch();
    const files = rowsOf(lab).map(({ path }) => placeOf(lab.warehouse.db, String(path)));
    const [lost = '', cut = '', rotten = ''] = files;
    rmSync(lost);
    writeFileSync(cut, readFileSync(cut).subarray(1));
    writeFileSync(rotten, Buffer.alloc(statSync(rotten).size));
    const verdicts = await Array.fromAsync(compareMedia(lab.warehouse.db, new AbortController().signal));
    expect(verdicts.map(({ status }) => status)).toEqual(['lost', 'other size', 'other content', 'equal']);
    rmSync(rotten);
    expect(await fetch()).toMatchObject({ fetched: 3 });
    expectHeld(lab, folder);
  });

  it('is said to be another where HyperStudy has another by now', async () => {
    const { lab, fetch, faults } = await mediaLab();
    await fetch();
    for (const { path } of rowsOf(lab)) rmSync(placeOf(lab.warehouse.db, String(path)));
    faults.now = always({ kind: 'other' });
    await fetch();
    expect(rowsOf(lab).map((row) => [row['status'], row['problem']])).toEqual(Array(2).fill(['held', 'changed']));
  });

  it('is gone with the person it shows or names, and is never downloaded again', async () => {
    const { lab, folder, fetch, experimentId } = await mediaLab(2);
    const { world } = lab.simulator;
    const [one = {}, two = {}] = world.records('recordings', experimentId, lab.now);
    const person = String(one['participantId']);
    // Another person's recording that names them.
    world.insert(
      'recordings',
      experimentId,
      { ...two, recordingId: 'EG_both', egressId: 'EG_both', note: `with ${person}` },
      lab.now,
    );
    await lab.sync({ selection: { data: ['recordings'] } });
    await fetch();
    expect(onDisk(folder)).toHaveLength(5);
    expect([...personLines(lab.warehouse.db, { participant: person })].join('')).toContain('media_files');
    const { tables, unreached } = lab.warehouse.erase({ participant: person }, false);
    expect(tables.find(({ table }) => table === 'media_files')).toMatchObject({ erased: 2 });
    expect(unreached).toEqual([]);
    expect(onDisk(folder)).toHaveLength(3);
    expect(JSON.stringify(rowsOf(lab))).not.toContain(person);
    lab.now += DAY;
    await lab.sync({ full: true, selection: { data: ['recordings', 'participants'] } });
    expect(await fetch()).toMatchObject({ fetched: 0, failed: 0 });
    expect(onDisk(folder)).toHaveLength(3);
  });
});
