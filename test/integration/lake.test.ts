import { hash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual as isEqual } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/export/certificate/digest.ts';
import { folderStore } from '../../src/export/lake/folder-store.ts';
import { readLake, type LakeManifest } from '../../src/export/lake/manifest.ts';
import { publish, type Publication } from '../../src/export/lake/publish.ts';
import { s3Place } from '../../src/export/lake/s3-place.ts';
import { s3Store } from '../../src/export/lake/s3-store.ts';
import type { Store } from '../../src/export/lake/store.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { DAY_MS, HOUR_MS } from '../../src/shared/time.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { openForReading } from '../../src/warehouse/open.ts';
import { digestOfFiles, filesThatDiffer, LAB, manifestIn } from '../support/lake.ts';
import { startS3 } from '../support/s3-server.ts';
import { HOUR, openLab, temporaryFolder, type Lab } from '../support/lab.ts';

const world = { experiments: 2, roomsPerExperiment: 1, participantsPerRoom: 2 };

/** Publishes what the lab has, over a connection of its own, as another process would. */
async function publishTo(lab: Lab, to: string | Store, change: Partial<Publication> = {}) {
  const db = openForReading(lab.warehouse.path);
  try {
    return await publish(db, typeof to === 'string' ? folderStore(to) : to, {
      lab: LAB,
      graceMs: HOUR_MS,
      all: false,
      about: () => ({ experiments: lab.simulator.world.experimentIds, isComplete: true, lacks: [], unreadable: [] }),
      now: () => Date.now(),
      signal: new AbortController().signal,
      rows: () => undefined,
      ...change,
    });
  } finally {
    db.close();
  }
}

const FEW = ['participants', 'rooms', 'chat', 'ratings/sparse'];

/** @param data what was read; few data types, where these are as good as all. */
async function openPublished(data: readonly string[] = FEW) {
  const lab = await openLab({ world });
  await lab.sync({ selection: { data } });
  const root = join(temporaryFolder(), 'lake');
  return { lab, root, report: await publishTo(lab, root) };
}

/** Where the rows of each partition are, and what they come to. */
const content = (manifest: LakeManifest | undefined) =>
  manifest?.partitions.map(({ table, experiment, rows, digest }) => [table, experiment, rows, digest]);
const pathsOf = (manifest: LakeManifest | undefined) =>
  (manifest?.partitions ?? []).flatMap(({ files }) => files.map(({ path }) => path)).sort();
const parquetIn = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .sort();

/** Something that reaches the API, and the next sync. */
async function happens(lab: Lab, change: (experimentId: string, other: string) => void, hours = 1) {
  const [experimentId = '', other = ''] = lab.simulator.world.experimentIds;
  change(experimentId, other);
  lab.now += hours * HOUR;
  await lab.sync({ selection: { data: FEW } });
}

function says(lab: Lab, experimentId: string, fields: JsonObject) {
  const [message = {}] = lab.simulator.world.records('chat', experimentId, lab.now);
  lab.simulator.world.insert('chat', experimentId, { ...message, ...fields }, lab.now);
}

describe('a lake', () => {
  it('holds what the warehouse holds: its digests are those of the SQLite file and of the Parquet files', async () => {
    const { lab, root, report } = await openPublished(DATASETS.map(({ name }) => name));
    const manifest = await manifestIn(root);
    expect(report).toMatchObject({ isNew: true, unchanged: 0, written: manifest?.partitions.length });
    if (manifest === undefined) return;
    expect(filesThatDiffer(root, manifest)).toEqual([]);
    expect(parquetIn(root)).toEqual(pathsOf(manifest));
    for (const partition of manifest.partitions)
      expect([partition.table, await digestOfFiles(root, partition)]).toEqual([partition.table, partition.digest]);
    for (const experiment of lab.simulator.world.experimentIds) {
      const of = manifest.partitions.filter((one) => one.experiment === experiment);
      const mirrored = DATASETS.map(
        (dataset) => [dataset.table, digestOf(lab.warehouse.db, dataset, experiment)] as const,
      );
      expect(of.map(({ table }) => table)).toContain('people');
      for (const [table, { rows, sha256 }] of mirrored)
        expect(of.find((one) => one.table === table)).toEqual(
          rows === 0 ? undefined : expect.objectContaining({ rows, digest: sha256 }),
        );
    }
    expect(manifest.streams.find(({ data }) => data === 'events')).toMatchObject({ complete: true, table: 'events' });
    for (const path of pathsOf(manifest)) expect(statSync(join(root, path)).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, `lab=${LAB}/manifest.json`)).mode & 0o777).toBe(0o600);
  });

  it('is written again only where something changed, whatever happens to the data', async () => {
    const { lab, root, report } = await openPublished();
    expect(await publishTo(lab, root)).toMatchObject({ isNew: false, written: 0, files: 0 });
    let before = pathsOf(report.manifest);
    const settles = async (mayChange: (path: string) => boolean) => {
      const { manifest } = await publishTo(lab, root);
      const whole = await publishTo(lab, join(temporaryFolder(), 'whole'));
      expect(content(manifest)).toEqual(content(whole.manifest));
      expect(filesThatDiffer(root, manifest)).toEqual([]);
      const now = pathsOf(manifest);
      expect(before.filter((path) => !now.includes(path) && !mayChange(path))).toEqual([]);
      before = now;
    };
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const ofFirst = (path: string) => path.includes(`experiment_id=${experimentId}`);
    await happens(lab, () => says(lab, experimentId, { messageId: 'new', content: 'a new one' }));
    await settles(ofFirst);
    // A field that no one knows becomes a column of all, at its end.
    await happens(lab, () => says(lab, experimentId, { messageId: 'odd', content: 'b', mood: 'fine' }));
    await settles(ofFirst);
    await happens(lab, () =>
      lab.simulator.world.edit(
        'participants',
        experimentId,
        () => true,
        (record) => ({ ...record, name: 'Another name' }),
        lab.now,
      ),
    );
    await settles(ofFirst);
    await happens(lab, () =>
      lab.simulator.world.remove('chat', experimentId, ({ messageId }) => messageId === 'new', lab.now),
    );
    await happens(lab, () => undefined);
    expect(lab.mirrored('chat', experimentId).join('')).not.toContain('a new one');
    await settles(ofFirst);
    await happens(lab, () => undefined, 24);
    await settles(ofFirst);
  });

  it('is as it was, or as it is to be, after a kill between any two writes; the next time nothing is lost or doubled', async () => {
    const { lab, root, report } = await openPublished();
    await happens(lab, (experimentId) => says(lab, experimentId, { messageId: 'new', content: 'a new one' }));
    const wanted = content((await publishTo(lab, join(temporaryFolder(), 'whole'))).manifest);
    const former = content(report.manifest);
    expect(wanted).not.toEqual(former);
    const outcomes: string[] = [];
    for (let kill = 1, isAlive = false; !isAlive; kill++) {
      const there = join(temporaryFolder(), 'lake');
      cpSync(root, there, { recursive: true });
      let writes = 0;
      const died = publishTo(
        lab,
        dying(folderStore(there), () => ++writes >= kill),
        { graceMs: 0 },
      );
      isAlive = await died.then(
        () => true,
        (error: unknown) => !(error instanceof Killed),
      );
      const manifest = await manifestIn(there);
      if (manifest === undefined) throw new Error('There is no manifest.');
      expect(filesThatDiffer(there, manifest)).toEqual([]);
      outcomes.push(
        isEqual(content(manifest), wanted) ? 'new' : isEqual(content(manifest), former) ? 'former' : 'half',
      );
      const again = await publishTo(lab, there, { graceMs: 0 });
      expect(content(again.manifest)).toEqual(wanted);
      expect(filesThatDiffer(there, again.manifest)).toEqual([]);
      expect(parquetIn(there)).toEqual(pathsOf(again.manifest));
    }
    // Files are put, then the manifest, then former files are removed.
    expect(outcomes.join(' ')).toMatch(/^former( former)+( new)+$/);
  });

  it('has the last state after two publications at once, and never goes back to an earlier one', async () => {
    const { lab, root } = await openPublished();
    await happens(lab, (experimentId) => says(lab, experimentId, { messageId: 'new', content: 'first' }));
    // The slow one has read its state when the other one publishes a later one.
    const slow = folderStore(root);
    let other: Promise<unknown> | undefined;
    const late: Store = {
      ...slow,
      workshop: root,
      async replace(name, text, version) {
        if (other === undefined) {
          other = happens(lab, (experimentId) => says(lab, experimentId, { messageId: 'newer', content: 'second' }));
          await other;
          await publishTo(lab, root);
        }
        return slow.replace(name, text, version);
      },
    };
    await publishTo(lab, late);
    const whole = await publishTo(lab, join(temporaryFolder(), 'whole'));
    const manifest = await manifestIn(root);
    expect(content(manifest)).toEqual(content(whole.manifest));
    const both = await Promise.all([1, 2, 3].map(() => publishTo(lab, root, { all: true })));
    expect(both.map((one) => content(one.manifest))).toEqual([1, 2, 3].map(() => content(manifest)));
    expect(manifest && filesThatDiffer(root, manifest)).toEqual([]);
  });

  it('holds nothing of a person who was erased, not even for those who are still reading', async () => {
    const { lab, root, report } = await openPublished();
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const [person] = lab.simulator.world.records('participants', experimentId, lab.now);
    const id = String(person?.['id']);
    const had = report.manifest.partitions.filter(({ experiment }) => experiment === experimentId);
    lab.warehouse.erase({ participant: id }, false);
    const { manifest, removed } = await publishTo(lab, root, { graceMs: 30 * DAY_MS });
    expect(removed).toBeGreaterThan(5);
    expect(parquetIn(root)).toEqual(pathsOf(manifest));
    expect(pathsOf(manifest)).not.toContain(had.find(({ table }) => table === 'people')?.files[0]?.path);
    expect(readFileSync(join(root, `lab=${LAB}/manifest.json`), 'utf8')).not.toContain(id);
    expect(content(manifest)).toEqual(content((await publishTo(lab, join(temporaryFolder(), 'whole'))).manifest));
  });

  it('keeps former files for a grace time, and never takes one for its own that may be removed', async () => {
    const { lab, root, report } = await openPublished();
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const rename = (name: string) => () =>
      void lab.simulator.world.edit(
        'chat',
        experimentId,
        ({ messageId }) => messageId === 'mine',
        (record) => ({ ...record, content: name }),
        lab.now,
      );
    await happens(lab, () => says(lab, experimentId, { messageId: 'mine', content: 'one' }));
    const first = await publishTo(lab, root);
    const former = pathsOf(report.manifest).filter((path) => !pathsOf(first.manifest).includes(path));
    expect(former.length).toBeGreaterThan(0);
    for (const path of former) expect(parquetIn(root)).toContain(path);
    await happens(lab, rename('two'));
    const { removed } = await publishTo(lab, root, { now: () => Date.now() + 2 * HOUR_MS });
    expect(removed).toBe(former.length);
    for (const path of former) expect(parquetIn(root)).not.toContain(path);
    // The very content of before comes again, while its former file is still there to be removed.
    await happens(lab, rename('one'));
    const again = await publishTo(lab, root, { now: () => Date.now() + 2 * HOUR_MS });
    expect(content(again.manifest)?.length).toBe(content(first.manifest)?.length);
    const dropped = again.manifest.dropped.map(({ path }) => path);
    expect(pathsOf(again.manifest).filter((path) => dropped.includes(path))).toEqual([]);
    await publishTo(lab, root, { now: () => Date.now() + 4 * HOUR_MS });
    expect(filesThatDiffer(root, (await manifestIn(root)) ?? again.manifest)).toEqual([]);
  });

  it('leaves alone what another publication is putting, and removes what one left that was killed', async () => {
    const { lab, root, report } = await openPublished();
    const [path = ''] = pathsOf(report.manifest);
    const [fresh, old] = ['f', '0'].map((digit) => join(dirname(path), `${digit.repeat(64)}.parquet`));
    for (const name of [fresh, old]) cpSync(join(root, path), join(root, name ?? ''));
    utimesSync(join(root, old ?? ''), 0, 0);
    expect(await publishTo(lab, root)).toMatchObject({ isNew: false, removed: 1 });
    expect(parquetIn(root)).toEqual([...pathsOf(report.manifest), fresh].sort());
  });

  it('is shared by labs, each of which has a manifest and files of its own', async () => {
    const { lab, root } = await openPublished();
    const ours = await manifestIn(root);
    await publishTo(lab, root, { lab: 'theirs', now: () => Date.now() + 9 * DAY_MS });
    const theirs = await manifestIn(root, 'theirs');
    expect(content(theirs)).toEqual(content(ours));
    expect(await manifestIn(root)).toEqual(ours);
    expect(parquetIn(root)).toEqual([...pathsOf(ours), ...pathsOf(theirs)].sort());
  });
});

describe('a lake in a bucket', () => {
  /** A bucket, and the environment in which it is found. */
  async function openBucket() {
    const { url, objects, seen } = await startS3('lab-data');
    const env = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'never-shown' };
    const before = { ...process.env };
    Object.assign(process.env, env);
    onTestFinished(() => {
      process.env = before;
    });
    const store = s3Store(s3Place('s3://lab-data/lake/'), process.env, new AbortController().signal);
    return { store, objects, seen };
  }

  it('is what it is in a folder, also after kills and two publications at once', async () => {
    const { lab, root, report } = await openPublished();
    const { store, objects, seen } = await openBucket();
    const manifest = async () => (await readLake(store, LAB))?.manifest;
    const isWhole = (of: LakeManifest | undefined) =>
      of?.partitions.every(({ files }) =>
        files.every(({ path, sha256 }) => sha256 === hash('sha256', objects.get(`lake/${path}`)?.body ?? '')),
      );
    for (let kill = 1, isAlive = false; !isAlive; kill += 4) {
      let writes = 0;
      const died = publishTo(
        lab,
        dying(store, () => ++writes >= kill),
      );
      isAlive = await died.then(
        () => true,
        () => false,
      );
      expect(await manifest()).toEqual(isAlive ? expect.anything() : undefined);
    }
    expect(content(await manifest())).toEqual(content(report.manifest));
    expect(isWhole(await manifest())).toBe(true);
    const puts = seen.filter(({ method, key }) => method === 'PUT' && key.endsWith('.parquet')).length;
    expect(await publishTo(lab, store)).toMatchObject({ isNew: false, files: 0 });
    await happens(lab, (experimentId) => says(lab, experimentId, { messageId: 'new', content: 'a new one' }));
    await Promise.all([publishTo(lab, store), publishTo(lab, store)]);
    expect(content(await manifest())).toEqual(content((await publishTo(lab, root)).manifest));
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const again = seen.filter(({ method, key }) => method === 'PUT' && key.endsWith('.parquet')).slice(puts);
    expect(again.every(({ key }) => key.includes(`experiment_id=${experimentId}/`))).toBe(true);
    const [person] = lab.simulator.world.records('participants', experimentId, lab.now);
    lab.warehouse.erase({ participant: String(person?.['id']) }, false);
    await publishTo(lab, store);
    expect(isWhole(await manifest())).toBe(true);
    expect([...objects.keys()].sort()).toEqual(
      [`lake/lab=${LAB}/manifest.json`, ...pathsOf(await manifest()).map((path) => `lake/${path}`)].sort(),
    );
    expect(seen.map(({ authorization }) => authorization).join('')).not.toContain('never-shown');
  });

  it('says what is wrong, and no key', async () => {
    const { lab } = await openPublished();
    await openBucket();
    const elsewhere = s3Store(s3Place('s3://not-there'), process.env, new AbortController().signal);
    const error = await publishTo(lab, elsewhere).catch((thrown: unknown) => thrown);
    if (!(error instanceof WarehouseError)) throw error;
    expect(error.code).toBe('PUBLISH_FAILED');
    expect(error.message).toContain('NoSuchBucket');
    expect(JSON.stringify([error, String(error)])).not.toMatch(/never-shown|AKIA/);
    for (const text of ['s3://AKIA:secret@bucket/x', 's3://', 's3://b/x?key=secret'])
      expect(() => s3Place(text)).toThrow(/^The address after --to is not s3:\/\/BUCKET\/FOLDER\.$/);
  });
});

class Killed extends Error {}

/** A store whose process is killed before a write; it writes nothing after it. */
function dying(store: Store, isOver: () => boolean): Store {
  const unlessKilled = () => {
    if (isOver()) throw new Killed();
  };
  return {
    ...store,
    workshop: store.workshop,
    put(...args) {
      unlessKilled();
      return store.put(...args);
    },
    replace(...args) {
      unlessKilled();
      return store.replace(...args);
    },
    async remove(names) {
      for (const name of names) {
        unlessKilled();
        await store.remove([name]);
      }
    },
  };
}
