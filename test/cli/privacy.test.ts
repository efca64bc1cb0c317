import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { lab } from '../support/daemon-lab.ts';

const ONE = { world: { experiments: 1, roomsPerExperiment: 1 } };
const POLICY =
  'privacy: { drop: [participants.diagnostics], pseudonymise: [chat.senderName], key: secret/privacy.key }\n';

describe('hsw privacy', () => {
  it('makes a key, refuses to read before what is stored is clean, cleans it, and reads on', async () => {
    const { cwd, write, db: path } = await lab(ONE, 'data: [rooms, participants, chat]\n');
    const run = (...args: string[]) => hsw(args, { cwd });
    const none = await run('privacy');
    expect([none.status, none.stdout]).toEqual([0, 'Every field is stored as HyperStudy sends it.\n']);
    expect((await run('sync', 'now')).status).toBe(0);
    write(`data: [rooms, participants, chat]\n${POLICY}`);
    const keyless = await run('sync', 'now');
    expect([keyless.status, keyless.stderr]).toEqual([2, expect.stringContaining('`hsw privacy --new-key` makes one')]);
    expect((await run('privacy', '--new-key')).status).toBe(0);
    const file = join(cwd, 'secret', 'privacy.key');
    const key = readFileSync(file, 'utf8').trim();
    expect([statSync(file).mode & 0o777, key.length]).toEqual([0o600, 43]);
    expect(await run('privacy', '--new-key')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('already') as string,
    });
    const stopped = await run('sync', 'now');
    expect([stopped.status, stopped.stderr]).toEqual([2, expect.stringContaining('Run `hsw privacy --clean`')]);
    const dry = await run('privacy', '--clean', '--dry-run');
    expect([dry.status, dry.stdout]).toEqual([
      0,
      expect.stringMatching(/participants: \d+ rows?\n.*chat: \d+ rows?\n/s),
    ]);
    expect((await run('privacy', '--clean')).status).toBe(2);
    const cleaned = await run('privacy', '--clean', '--yes');
    expect([cleaned.status, cleaned.stdout]).toEqual([0, expect.stringContaining('The file was rewritten')]);
    const again = await run('sync', 'now', '--full');
    expect(again.status).toBe(0);
    const db = new Database(path, { readonly: true });
    const names = db.prepare<[], string>('SELECT DISTINCT sender_name FROM chat').pluck().all();
    const history = db.prepare('SELECT count(*) FROM _history').pluck().get();
    db.close();
    expect([names.every((name) => name.startsWith('ps_')), names.length > 0, history]).toEqual([true, true, 0]);
    for (const { stdout, stderr } of [stopped, dry, cleaned, again]) expect(stdout + stderr).not.toContain(key);
    writeFileSync(file, `${'x'.repeat(43)}\n`);
    expect((await run('sync', 'now')).stderr).toContain('made with another key');
    rmSync(file);
    expect((await run('sync', 'now')).stderr).toContain('there is no file');
  });
});
