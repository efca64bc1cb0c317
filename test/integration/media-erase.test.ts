import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stableName } from '../../src/media/names.ts';
import { fetchMedia, type MediaOptions } from '../../src/media/round.ts';
import { silentLog } from '../../src/shared/log.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { LoggedDownload } from '../../src/simulator/media.ts';
import { openLab } from '../support/lab.ts';

/** A lab whose recordings were read; `onDownload` is called when a file is asked for. */
async function mediaLab() {
  const hooks: { onDownload: ((download: LoggedDownload) => void) | undefined } = { onDownload: undefined };
  const lab = await openLab({
    world: { experiments: 1, roomsPerExperiment: 2 },
    mediaFault: (download) => {
      hooks.onDownload?.(download);
      return undefined;
    },
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
  const rows = () => lab.warehouse.db.prepare<[], { participant_id: string | null }>('SELECT * FROM media_files').all();
  const people = lab.simulator.world
    .records('recordings', lab.simulator.world.experimentIds[0] ?? '', lab.now)
    .map(({ participantId }) => String(participantId));
  return { lab, folder, fetch, hooks, rows, people };
}

const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
    : [];

describe('an erasure while files are downloaded', () => {
  it('leaves no file and no name of the person, whose files were next', async () => {
    const { lab, folder, fetch, rows, people } = await mediaLab();
    const erase = () => {
      for (const participant of new Set(people)) lab.warehouse.erase({ participant }, false);
    };
    expect(people).toHaveLength(4);
    expect(await fetch({ onFile: erase })).toMatchObject({ fetched: 1 });
    expect(filesIn(folder)).toEqual([]);
    expect(rows()).toEqual([]);
  });

  it('leaves none of the file that is on its way', async () => {
    const { lab, folder, fetch, hooks, rows, people } = await mediaLab();
    hooks.onDownload = () => {
      for (const participant of new Set(people)) lab.warehouse.erase({ participant }, false);
    };
    let paced = 0;
    const pace = () => {
      paced++;
      return Promise.resolve();
    };
    expect(await fetch({ pace })).toMatchObject({ fetched: 0, failed: 0 });
    expect(filesIn(folder)).toEqual([]);
    expect(rows()).toEqual([]);
    // The rest of its bytes is not read either.
    expect(paced).toBe(0);
  });

  it('removes the recording of another person that names the erased one, and the round continues', async () => {
    const { lab, folder, fetch, people } = await mediaLab();
    const { world } = lab.simulator;
    const [experimentId = ''] = world.experimentIds;
    const [, two = {}] = world.records('recordings', experimentId, lab.now);
    const id = { recordingId: 'EG_both', egressId: 'EG_both', startTime: '2020-01-01T00:00:00.000Z' };
    world.insert('recordings', experimentId, { ...two, ...id, note: `with ${people[0] ?? ''}` }, lab.now);
    await lab.sync({ selection: { data: ['recordings'] } });
    let isErased = false;
    const onFile = () => {
      if (!isErased) lab.warehouse.erase({ participant: people[0] ?? '' }, false);
      isErased = true;
    };
    const { fetched, stopped } = await fetch({ onFile });
    expect([fetched, stopped]).toEqual([people.filter((one) => one !== people[0]).length, undefined]);
    expect(filesIn(folder).map(({ name }) => name)).not.toContainEqual(expect.stringContaining('both'));
  });
});

describe('the media folder', () => {
  // Only root can make what is another user's.
  it.skipIf(process.geteuid?.() !== 0)('is refused where another user decides what is written', async () => {
    const { lab, folder, fetch } = await mediaLab();
    const elsewhere = join(dirname(folder), 'elsewhere');
    mkdirSync(elsewhere);
    chmodSync(dirname(folder), 0o755);
    const unknown = { roomId: null, participantId: null, participantName: null, type: null, format: null };
    const experimentId = lab.simulator.world.experimentIds[0] ?? '';
    const below = join(folder, dirname(dirname(stableName({ ...unknown, recordingId: '', experimentId }))));
    for (const [plant, message] of [
      [() => chmodSync(folder, 0o777), `Everyone on this computer can replace the files in ${folder}`],
      [
        () => {
          symlinkSync(elsewhere, below);
          lchownSync(below, 12_345, 12_345);
        },
        `${below} is a symbolic link of another user`,
      ],
      [
        () => {
          mkdirSync(below);
          chownSync(below, 12_345, 12_345);
          chmodSync(folder, 0o1777);
        },
        `${below} belongs to another user`,
      ],
    ] as const) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      plant();
      const { stopped } = await fetch();
      expect(stopped?.code).toBe('PLACE_UNSAFE');
      expect(stopped?.message).toContain(message);
    }
    expect(filesIn(elsewhere)).toEqual([]);
    // No request is spent on an address.
    expect(lab.simulator.requests.filter(({ path }) => path.includes('/download/'))).toEqual([]);
  });

  it('is refused where a folder has the name of a file, before anything is asked for', async () => {
    const { lab, folder, fetch } = await mediaLab();
    await fetch({ most: 1 });
    const [file] = filesIn(folder);
    const path = join(file?.parentPath ?? '', file?.name ?? '');
    rmSync(path);
    mkdirSync(path);
    const before = lab.simulator.requests.length;
    const { stopped } = await fetch();
    expect(stopped).toMatchObject({ code: 'PLACE_UNSAFE', message: `${path} is a folder, so nothing was written.` });
    expect(lab.simulator.requests).toHaveLength(before);
  });
});
