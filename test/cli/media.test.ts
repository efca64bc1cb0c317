import { readFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { contentOf, type LoggedDownload, type MediaFault } from '../../src/simulator/media.ts';
import { hsw } from '../support/command.ts';
import { lab, start } from '../support/daemon-lab.ts';

const MEDIA = 'media: { recordings: true, path: ./media, maxBytesPerHour: 1000GB }\n';

/** Recordings that were read; their files are downloaded by real processes. */
async function mediaLab(yaml = MEDIA) {
  const hooks: { on: ((download: LoggedDownload) => MediaFault | undefined) | undefined } = { on: undefined };
  const world = { experiments: 1, roomsPerExperiment: 2 };
  const made = await lab({ world, mediaFault: (download) => hooks.on?.(download) });
  const { cwd, simulator, time } = made;
  made.write('data: [rooms, participants, recordings]\n');
  expect(await hsw(['sync', 'now'], { cwd })).toMatchObject({ status: 0 });
  made.write(`data: [rooms, participants, recordings]\n${yaml}`);
  const records = simulator.world.experimentIds.flatMap((id) => simulator.world.records('recordings', id, time.now));
  const contents = records.map((record) => contentOf(String(record['egressId']), Number(record['fileSize'])));
  return { ...made, hooks, records, contents };
}

const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
    : [];
const whole = (cwd: string) => filesIn(join(cwd, 'media')).filter((file) => !file.endsWith('.part'));

function rowsOf(path: string): Readonly<Record<string, string | number | null>>[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], Record<string, string | number | null>>('SELECT * FROM media_files').all();
  } finally {
    db.close();
  }
}

describe('hsw media', () => {
  it('continues after every kill, gives no half file a name, and is alone', async () => {
    const { cwd, hooks, contents, simulator, db } = await mediaLab();
    const isWhole = () => whole(cwd).every((file) => contents.some((content) => content.equals(readFileSync(file))));
    for (const afterMs of [1, 90]) {
      let kill = () => false;
      hooks.on = () => {
        setTimeout(kill, afterMs);
        return { kind: 'drip', bytes: 10_000, everyMs: 20 };
      };
      const { status } = await hsw(['media'], { cwd, onStart: (child) => (kill = () => child.kill('SIGKILL')) });
      expect([status, isWhole()]).toEqual([null, true]);
    }
    let second: ReturnType<typeof hsw> | undefined;
    hooks.on = () => {
      second ??= hsw(['media'], { cwd });
      return { kind: 'drip', bytes: 10_000, everyMs: 150 };
    };
    expect(await hsw(['media'], { cwd })).toMatchObject({ status: 0 });
    expect(await second).toMatchObject({ status: 5 });
    expect(
      whole(cwd)
        .map((file) => readFileSync(file).toString('hex'))
        .sort(),
    ).toEqual(contents.map((content) => content.toString('hex')).sort());
    expect(filesIn(join(cwd, 'media'))).toHaveLength(contents.length);
    expect(rowsOf(db).map(({ status }) => status)).toEqual(contents.map(() => 'held'));
    expect(simulator.downloads.filter(({ status }) => status === 206).length).toBeGreaterThan(0);
  });

  it('leaves nothing of a person whose erasure was killed, once a command has written again', async () => {
    const { cwd, records, db } = await mediaLab(MEDIA.replace(' }', ', names: sdk }'));
    expect(await hsw(['media'], { cwd })).toMatchObject({ status: 0 });
    const person = String(records[0]?.['participantId']);
    const theirs = records.filter(({ participantId }) => participantId === person).length;
    const files = whole(cwd).length;
    for (const rest of ['-journal', '-wal']) {
      // Killed when its transaction has come to the disk, or is about to.
      const killed = hsw(['erase', '--participant', person, '--yes'], {
        cwd,
        onStart: (child) => {
          const timer = setInterval(() => existsSync(db + rest) && child.kill('SIGKILL'), 1);
          child.on('exit', () => clearInterval(timer));
        },
      });
      await killed;
    }
    await hsw(['erase', '--participant', person, '--yes'], { cwd });
    expect(await hsw(['media'], { cwd })).toMatchObject({ status: 0 });
    expect(whole(cwd)).toHaveLength(files - theirs);
    expect(JSON.stringify(rowsOf(db))).not.toContain(person);
  });

  it('is what the daemon does by itself, and an erasure beside it takes the files', async () => {
    const { cwd, records, contents, db } = await mediaLab();
    await start(cwd);
    while (rowsOf(db).filter(({ status }) => status === 'held').length < contents.length) await delay(20);
    expect(await hsw(['media'], { cwd })).toMatchObject({ status: 5 });
    const person = String(records[0]?.['participantId']);
    const theirs = records.filter(({ participantId }) => participantId === person).length;
    expect(await hsw(['erase', '--participant', person, '--yes'], { cwd })).toMatchObject({ status: 0 });
    expect(whole(cwd)).toHaveLength(contents.length - theirs);
  });
});
