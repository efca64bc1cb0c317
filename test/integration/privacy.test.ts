import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareDerived } from '../../src/derive/rebuild.ts';
import { namesOfFields, policyField, whyNeeded } from '../../src/datasets/policy-fields.ts';
import { isObject, parseJson, type JsonObject } from '../../src/shared/json.ts';
import { pseudonymBy } from '../../src/shared/pseudonym.ts';
import { runVerify } from '../../src/sync/verify.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { requirePolicy } from '../../src/warehouse/clean.ts';
import { HOUR, MIRRORED, openLab, type Lab } from '../support/lab.ts';

const KEY = 'a-key-of-the-lab-that-no-one-else-has-0123456789';
const PRIVACY = {
  drop: ['participants.email', 'participants.extra.nickname', 'videochat.extra.browser', 'variables.value'],
  pseudonymise: ['chat.senderName', 'recordings.participantName'],
  key: KEY,
  keyFile: undefined,
};
/** What may be nowhere. */
const SECRETS = ['ana.kowalska@example.org', 'Ana Kowalska', 'Anulka the first', 'Firefox of Ana', 'a private thought'];

/** A lab in which the secrets come in as many ways as there are. */
async function labWithSecrets(privacy = PRIVACY) {
  const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 }, config: { privacy } });
  const { world } = lab.simulator;
  const [experimentId = ''] = world.experimentIds;
  const edit = (data: string, change: (record: JsonObject) => JsonObject) => {
    let first = true;
    world.edit(
      data,
      experimentId,
      () => first && !(first = false),
      (record) => change(record as JsonObject),
      lab.now,
    );
  };
  const insert = (data: string, change: JsonObject) => {
    const [record = {}] = world.records(data, experimentId, lab.now);
    world.insert(data, experimentId, { ...record, ...change }, lab.now);
  };
  const [email = '', name = '', nick = '', browser = '', thought = ''] = SECRETS;
  edit('participants', (record) => ({ ...record, email, nickname: nick, contact: { mail: email } }));
  insert('participants', {
    id: 'other',
    email: { address: email },
    diagnostics: { page: `x?m=${encodeURIComponent(email)}` },
  });
  edit('rooms', (record) => ({ ...record, host: { id: 'p', email, senderName: name } }));
  insert('chat', { messageId: 'a', senderName: name, content: `I am ${name}` });
  insert('chat', { messageId: 'b', senderName: [name] });
  insert('recordings', { recordingId: 'v', participantName: name, fileName: `${name}.webm` });
  insert('events', { id: 'e', data: { user: { email } } });
  edit('videochat', (record) => ({ ...record, browser }));
  insert('variables', { variable: 'note', value: thought });
  const change = () => {
    edit('participants', (record) => ({ ...record, status: 'other', email: `new.${email}`, contact: null }));
    world.edit(
      'chat',
      experimentId,
      ({ messageId }) => messageId === 'a',
      (record) => ({ ...record, content: 'x', senderName: `Dr ${name}` }),
      lab.now,
    );
  };
  return { lab, experimentId, change };
}

function traces({ warehouse: { path } }: Lab): string[] {
  const files = ['', '-wal', '-shm'].map((suffix) => readFileSync(path + suffix, 'latin1'));
  const forms = SECRETS.flatMap((text) => [text, encodeURIComponent(text), text.toLowerCase()]);
  return forms.filter((text) => files.some((file) => file.includes(text)));
}

const incomplete = ({ warehouse: { db } }: Lab) =>
  db.prepare('SELECT data, scope, reason FROM _streams WHERE complete = 0').all();
const wrong = ({ warehouse: { db } }: Lab) => compareDerived(db).filter(({ rows }) => rows > 0);

async function differing(lab: Lab, privacy = PRIVACY) {
  const context = { ...lab.context(), config: { ...lab.context().config, privacy } };
  const { streams } = await runVerify({ ...context, full: true, selection: {}, deep: true, repair: false });
  return streams.filter(({ status }) => status !== 'equal');
}

describe('a privacy policy', () => {
  it('keeps what it names off the disk, in whatever form it comes, and everything is accounted for', async () => {
    const { lab, change } = await labWithSecrets();
    await lab.sync();
    expect([traces(lab), incomplete(lab)]).toEqual([[], []]);
    change();
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    lab.warehouse.tendForReaders();
    expect([traces(lab), incomplete(lab), wrong(lab)]).toEqual([[], [], []]);
    expect(await differing(lab)).toEqual([]);
    expect(lab.warehouse.db.prepare('SELECT count(*) FROM _history').pluck().get()).toBe(2);
  });

  it('gives the same value the same pseudonym in every table, and takes nothing else', async () => {
    const { lab, experimentId } = await labWithSecrets();
    await lab.sync();
    const { db } = lab.warehouse;
    const joined = db.prepare(
      'SELECT DISTINCT sender_name FROM chat JOIN recordings ON sender_name = participant_name',
    );
    expect(joined.pluck().all()).toContain(pseudonymBy(KEY)('Ana Kowalska'));
    // The fields that the policy names are none of these.
    for (const data of MIRRORED.filter(
      (name) => !/participants|chat|rooms|recordings|videochat|variables|events/.test(name),
    ))
      expect([data, lab.mirrored(data, experimentId)]).toEqual([data, lab.truth(data, experimentId)]);
    const without = (text: string) => {
      const record = parseJson(text);
      return isObject(record) ? JSON.stringify({ ...record, senderName: 0, content: 0 }) : text;
    };
    expect(lab.mirrored('chat', experimentId).map(without).sort()).toEqual(
      lab.truth('chat', experimentId).map(without).sort(),
    );
  });

  it('is described in the file itself', async () => {
    const { lab } = await labWithSecrets();
    await lab.sync();
    const { db } = lab.warehouse;
    const said = db.prepare(
      'SELECT meaning, missing, privacy FROM _data_dictionary WHERE table_name = ? AND column_name = ?',
    );
    expect(said.get('participants', 'email')).toMatchObject({ meaning: /Never stored/, missing: 'Always.' });
    expect(said.get('participants_all', 'email')).toMatchObject({ missing: 'Always.' });
    expect(said.get('chat', 'sender_name')).toMatchObject({ privacy: 'indirect' });
    expect(said.get('variables', 'value_text')).toMatchObject({ missing: 'Always.' });
    expect(db.prepare("SELECT value FROM _about WHERE name = 'privacy'").pluck().get()).toMatch(
      /^Never stored: participants.email, .*\. Stored as pseudonyms: chat.senderName, recordings.participantName\./,
    );
  });
});

describe('a policy that comes later', () => {
  const reopen = (path: string, privacy: typeof PRIVACY, now: number) =>
    openWarehouse(path, { clock: { ...systemClock, now: () => now }, history: true, privacy });

  it('stops what would write until everything stored before is clean', async () => {
    const { lab, change } = await labWithSecrets({ ...PRIVACY, drop: [], pseudonymise: [] });
    await lab.sync();
    change();
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    lab.warehouse.db
      .prepare(
        "INSERT INTO _quarantine (experiment_id, data, key, scope, reason, record, first_seen_at, last_seen_at) SELECT experiment_id, 'participants', 'k' || key, 'experiment', 'not an object', ?, '2026', '2026' FROM participants LIMIT 2",
      )
      .run(JSON.stringify(['ana.kowalska@example.org']));
    expect(traces(lab).length).toBeGreaterThan(4);
    const { warehouse } = lab;
    expect(() => requirePolicy(warehouse.db, PRIVACY, lab.now)).toThrow(
      /no longer lets participants\.email and .* be stored as it comes, and .* participants, .* still hold/,
    );
    const keys = () => warehouse.db.prepare('SELECT key FROM participants ORDER BY 1').pluck().all();
    const before = keys();
    const trial = warehouse.clean(PRIVACY, true);
    const { tables, isOverwritten } = warehouse.clean(PRIVACY, false);
    expect([trial.tables, isOverwritten, keys()]).toEqual([tables, true, before]);
    expect(tables.map(({ table }) => table)).toEqual(
      expect.arrayContaining([
        'participants',
        'rooms',
        'chat',
        'videochat',
        'variables',
        '_history',
        '_quarantine',
        '_answer_metadata',
      ]),
    );
    expect([traces(lab), wrong(lab)]).toEqual([[], []]);
    expect(warehouse.clean(PRIVACY, false).tables).toEqual([]);
    requirePolicy(warehouse.db, PRIVACY, lab.now);
    warehouse.db.prepare("DELETE FROM _quarantine WHERE data = 'participants'").run();
    expect(await differing(lab, PRIVACY)).toEqual([]);
  });

  it('may be another one where nothing is against it, but no key may take the place of another', async () => {
    const { lab } = await labWithSecrets();
    await lab.sync();
    const { path } = lab.warehouse;
    lab.warehouse.close();
    reopen(path, { ...PRIVACY, drop: [...PRIVACY.drop, 'experiments.extra.nothing'] }, lab.now).close();
    // What was left out cannot be against it.
    reopen(
      path,
      { ...PRIVACY, drop: [], pseudonymise: [...PRIVACY.pseudonymise, 'participants.email'] },
      lab.now,
    ).close();
    expect(() => reopen(path, { ...PRIVACY, key: 'another key' }, lab.now)).toThrow(/made with another key/);
    reopen(path, { ...PRIVACY, pseudonymise: [] }, lab.now).close();
    expect(() => reopen(path, { ...PRIVACY, key: 'another key' }, lab.now)).toThrow(/made with another key/);
    reopen(path, PRIVACY, lab.now).close();
  });
});

describe('every field that a policy may name', () => {
  const fields = namesOfFields().flatMap((name) => {
    const field = policyField(name);
    return field === undefined || whyNeeded(field) !== undefined ? [] : [field];
  });
  const isText = ({ spec }: (typeof fields)[number]) => spec?.kind === 'text' || spec?.kind === 'any';
  const names = (of: typeof fields) => of.map(({ name }) => name);

  it('may have pseudonyms if it is a text, and everything is accounted for', async () => {
    const privacy = { ...PRIVACY, drop: [], pseudonymise: names(fields.filter(isText)) };
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 }, config: { privacy } });
    await lab.sync();
    expect([incomplete(lab), wrong(lab), await differing(lab, privacy)]).toEqual([[], [], []]);
  });

  it('may be dropped, and cleaned from what was stored', async () => {
    const privacy = { ...PRIVACY, drop: names(fields), pseudonymise: [] };
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
    await lab.sync();
    lab.warehouse.clean(privacy, false);
    expect([wrong(lab), await differing(lab, privacy)]).toEqual([[], []]);
    lab.now += HOUR;
    await lab.sync({ full: true, config: { privacy } });
    expect([incomplete(lab), lab.warehouse.db.prepare('SELECT * FROM _history').all()]).toEqual([[], []]);
    const held = fields.flatMap(({ dataset, path: [field] }) =>
      dataset.columns
        .filter((column) => column.field === field)
        .map(({ name }) => [
          dataset.table,
          name,
          lab.warehouse.db.prepare(`SELECT count("${name}") FROM "${dataset.table}"`).pluck().get(),
        ]),
    );
    expect(held.filter(([, , rows]) => rows !== 0)).toEqual([]);
  });
});
