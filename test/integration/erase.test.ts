import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { compareDerived } from '../../src/derive/rebuild.ts';
import { runVerify } from '../../src/sync/verify.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { departedPeople, departedText } from '../../src/warehouse/departed.ts';
import { configFor, HOUR, openLab, type Lab } from '../support/lab.ts';

/** A lab whose data were read, a person in it, and what no one else has. */
async function labWithPerson(options: Parameters<typeof openLab>[0] = {}) {
  const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 }, ...options });
  const { world } = lab.simulator;
  const [experimentId = ''] = world.experimentIds;
  const people = world.records('participants', experimentId, lab.now);
  const [person, other] = [people[0] ?? {}, people[1] ?? {}];
  const id = String(person['id']);
  const [message = {}] = world.records('chat', experimentId, lab.now);
  const say = (change: JsonObject) => world.insert('chat', experimentId, { ...message, ...change }, lab.now);
  say({ messageId: 'own', senderId: id, senderName: 'Ada Secret', content: 'my secret words' });
  say({ messageId: 'to', senderId: String(other['id']), content: `hello ${id}!`, recipientIds: [id, 'everyone'] });
  await lab.sync();
  return { lab, experimentId, id, world };
}

const FILES = ['', '-wal', '-shm', '.lock'];

/** How often a text is in the warehouse's files, deleted parts included. */
function traces({ warehouse: { path } }: Lab, text: string): number {
  return FILES.reduce((sum, suffix) => {
    try {
      return sum + readFileSync(path + suffix, 'latin1').split(text).length - 1;
    } catch {
      return sum;
    }
  }, 0);
}

const rows = ({ warehouse: { db } }: Lab) =>
  Object.fromEntries(
    db
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name",
      )
      .pluck()
      .all()
      .map((name) => [name, db.prepare(`SELECT count(*) FROM "${name}"`).pluck().get()]),
  );

/** The streams of a whole experiment whose number of rows is not that of their table. */
const miscounted = ({ warehouse: { db } }: Lab) =>
  DATASETS.map(({ name, table }) => ({
    data: name,
    said: db.prepare("SELECT rows FROM _streams WHERE data = ? AND scope = 'experiment'").pluck().get(name),
    there: db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get(),
  })).filter(({ said, there }) => said !== undefined && said !== there);

const incomplete = ({ warehouse: { db } }: Lab) =>
  db.prepare('SELECT data, scope, reason FROM _streams WHERE complete = 0').all();

describe('an erased person', () => {
  it('leaves no byte in the files, whatever they did, wrote or were sent', async () => {
    const { lab, id } = await labWithPerson();
    expect(traces(lab, id)).toBeGreaterThan(20);
    const { tables, isOverwritten } = lab.warehouse.erase({ participant: id }, false);
    expect(isOverwritten).toBe(true);
    const erased = new Map(tables.map((one) => [one.table, one]));
    expect(erased.get('participants')).toMatchObject({ erased: 1 });
    expect(erased.get('events')?.erased).toBeGreaterThan(0);
    expect(erased.get('chat')).toMatchObject({ erased: 2, replaced: 4 });
    for (const text of [id, 'Ada Secret', 'my secret words']) expect([text, traces(lab, text)]).toEqual([text, 0]);
    expect(compareDerived(lab.warehouse.db).filter((table) => table.rows > 0)).toEqual([]);
  });

  it('is gone from what others sent: as a whole where it is about them, by their id elsewhere', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    const [event = {}] = world
      .records('events', experimentId, lab.now)
      .filter(({ participantId }) => participantId !== id && participantId !== null);
    const data = {
      partnerId: id,
      score: 7,
      members: [
        { id, name: 'Ada Secret' },
        { id: 'someone', name: 'Bo' },
      ],
      byPerson: { [id]: { note: 'secret note' }, someone: 1 },
      sender: { userId: id, name: 'Ada Secret' },
    };
    world.insert(
      'events',
      experimentId,
      { ...event, id: 'of another person', shown: data, [id]: 'secret note' },
      lab.now,
    );
    lab.now += HOUR / 4;
    await lab.sync();
    const { db } = lab.warehouse;
    const columns = () =>
      db.prepare<[string], string>('SELECT "column" FROM _column_names WHERE instr(path, ?) > 0').pluck().all(id);
    const [column = ''] = columns();
    const held = () => db.prepare("SELECT 1 FROM pragma_table_info('events') WHERE name = ?").get(column) !== undefined;
    expect([column === '', held()]).toEqual([false, true]);
    lab.warehouse.erase({ participant: id }, false);
    const shown = () =>
      JSON.parse(
        db.prepare<[], string>("SELECT extra ->> '$.shown' FROM events WHERE id = 'of another person'").pluck().get() ??
          '',
      ) as unknown;
    const expected = {
      partnerId: '[erased]',
      score: 7,
      members: ['[erased]', { id: 'someone', name: 'Bo' }],
      byPerson: { '[erased]': '[erased]', someone: 1 },
      sender: '[erased]',
    };
    expect(shown()).toEqual(expected);
    expect([columns(), held()]).toEqual([[], false]);
    expect(db.prepare('SELECT count(*) FROM events_all').pluck().get()).toBe(
      db.prepare('SELECT count(*) FROM events').pluck().get(),
    );
    for (const text of [id, 'secret note', 'Ada Secret']) expect([text, traces(lab, text)]).toEqual([text, 0]);
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    expect([shown(), incomplete(lab)]).toEqual([expected, []]);
    expect(traces(lab, id)).toBe(0);
  });

  it('does not come back with any sync, and every record stays accounted for', async () => {
    const { lab, id } = await labWithPerson();
    expect(incomplete(lab)).toEqual([]);
    lab.warehouse.erase({ participant: id }, false);
    const before = rows(lab);
    expect(miscounted(lab)).toEqual([]);
    for (const full of [false, true, true]) {
      lab.now += HOUR / 4;
      await lab.sync({ full });
      expect(miscounted(lab)).toEqual([]);
      expect(incomplete(lab)).toEqual([]);
      expect(rows(lab)).toEqual(before);
    }
    const { streams } = await runVerify({ ...lab.context(), full: true, selection: {}, deep: true, repair: false });
    expect(streams.filter(({ status }) => status !== 'equal')).toEqual([]);
    lab.warehouse.tendForReaders();
    expect(traces(lab, id)).toBe(0);
  });

  it('is counted as often as the API lists them, where records share an id and no page has both', async () => {
    const { lab, id, world, experimentId } = await labWithPerson({
      config: { api: { ...configFor('', '').api, pageSize: 10 } },
    });
    const [message = {}] = world.records('chat', experimentId, lab.now);
    const said = (minutes: number, change: JsonObject) => ({
      ...message,
      timestamp: new Date(lab.now - minutes * 60_000).toISOString(),
      ...change,
    });
    for (let i = 1; i <= 30; i++) world.insert('chat', experimentId, said(i, { messageId: `other${i}` }), lab.now);
    for (const minutes of [0.5, 15.5, 40])
      world.insert(
        'chat',
        experimentId,
        said(minutes, { messageId: 'same', senderId: id, content: `at ${minutes}` }),
        lab.now,
      );
    await lab.sync();
    lab.warehouse.erase({ participant: id }, false);
    for (const full of [false, true, false]) {
      lab.now += HOUR / 4;
      await lab.sync({ full });
      expect(incomplete(lab)).toEqual([]);
    }
  });

  it('is not brought by what they do later, or are sent', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    lab.warehouse.erase({ participant: id }, false);
    lab.now += HOUR / 4;
    const [message = {}] = world.records('chat', experimentId, lab.now).filter(({ senderId }) => senderId !== id);
    const time = new Date(lab.now - 60_000).toISOString();
    world.insert(
      'chat',
      experimentId,
      { ...message, messageId: 'a', senderId: id, content: 'late words', timestamp: time },
      lab.now,
    );
    world.insert(
      'chat',
      experimentId,
      { ...message, messageId: 'b', content: 'for you', recipientIds: [id], timestamp: time },
      lab.now,
    );
    await lab.sync();
    expect(incomplete(lab)).toEqual([]);
    expect(lab.warehouse.db.prepare("SELECT recipient_ids FROM chat WHERE content = 'for you'").pluck().get()).toBe(
      '["[erased]"]',
    );
    expect(traces(lab, 'late words') + traces(lab, id)).toBe(0);
  });

  it('is no longer counted once HyperStudy has deleted them as well', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    lab.warehouse.erase({ participant: id }, false);
    for (const data of ['chat', 'events', 'participants', 'ratings/continuous'])
      world.remove(
        data,
        experimentId,
        (record) => [record['senderId'], record['participantId'], record['id']].includes(id),
        lab.now,
      );
    for (let times = 0; times < 2; times++) {
      lab.now += HOUR / 4;
      await lab.sync({ acceptDeletes: true });
    }
    expect(incomplete(lab)).toEqual([]);
    const left = lab.warehouse.db.prepare<[], string>('SELECT DISTINCT data FROM _erased_records').pluck().all();
    expect(left).not.toContain('chat');
  });

  it('has no former version and no malformed record left', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    world.edit(
      'chat',
      experimentId,
      ({ messageId }) => messageId === 'own',
      (record) => ({ ...record, content: 'edited words' }),
      lab.now,
    );
    world.edit(
      'chat',
      experimentId,
      ({ messageId }) => messageId === 'to',
      (record) => ({ ...record, content: 'edited' }),
      lab.now,
    );
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    lab.warehouse.db
      .prepare(
        "INSERT INTO _quarantine (experiment_id, data, key, scope, reason, record, first_seen_at, last_seen_at) VALUES (?, 'chat', 'k', 'experiment', 'not an object', ?, '2026', '2026')",
      )
      .run(experimentId, JSON.stringify([id, 'malformed words']));
    const history = () => lab.warehouse.db.prepare('SELECT count(*) FROM _history').pluck().get();
    expect(history()).toBe(2);
    lab.warehouse.erase({ participant: id }, false);
    expect(history()).toBe(1);
    for (const text of [id, 'my secret words', 'malformed words']) expect([text, traces(lab, text)]).toEqual([text, 0]);
  });

  it('is proposed if HyperStudy no longer lists them, until nothing of them is kept', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    const { db } = lab.warehouse;
    expect(departedPeople(db)).toEqual([]);
    world.remove('participants', experimentId, (record) => record['id'] === id, lab.now);
    for (let times = 0; times < 2; times++) {
      lab.now += HOUR / 4;
      await lab.sync({ acceptDeletes: true });
    }
    expect(departedPeople(db)).toEqual([id]);
    expect(departedText([id])).toContain(`1 participant is no longer listed by HyperStudy`);
    lab.warehouse.erase({ participant: id }, false);
    expect([departedPeople(db), departedText([])]).toEqual([[], '']);
  });

  it('stays until the erasure is no trial', async () => {
    const { lab, id } = await labWithPerson();
    const before = [rows(lab), lab.warehouse.db.prepare('SELECT * FROM events ORDER BY key').all()];
    const trial = lab.warehouse.erase({ participant: id }, true);
    expect([rows(lab), lab.warehouse.db.prepare('SELECT * FROM events ORDER BY key').all()]).toEqual(before);
    const { tables } = lab.warehouse.erase({ participant: id }, false);
    expect(trial.tables).toEqual(tables);
  });

  it('is overwritten later if a reader keeps the file as it was', async () => {
    const { lab, id } = await labWithPerson();
    const reader = new Database(lab.warehouse.path, { readonly: true });
    const open = reader.prepare('SELECT * FROM events').iterate();
    open.next();
    expect(lab.warehouse.erase({ participant: id }, false).isOverwritten).toBe(false);
    open.return?.();
    reader.close();
    lab.warehouse.tendForReaders();
    expect(traces(lab, id)).toBe(0);
  });
});

describe('an id that may be any word or number', () => {
  it.each(['1', 'p1', 'user', 'video', 'completed'])('changes nothing but what is theirs if it is %s', async (id) => {
    const { lab, world, experimentId } = await labWithPerson();
    const [person = {}] = world.records('participants', experimentId, lab.now);
    const [event = {}] = world.records('events', experimentId, lab.now);
    world.insert('participants', experimentId, { ...person, id }, lab.now);
    world.insert('events', experimentId, { ...event, id: 'theirs', participantId: id }, lab.now);
    lab.now += HOUR / 4;
    await lab.sync();
    const { db } = lab.warehouse;
    const all = (sql: string) => db.prepare(sql).all();
    const others = () => ({
      streams: all(
        'SELECT experiment_id, data, scope, watermark, doubts, complete, data_as_of FROM _streams ORDER BY 1, 2, 3',
      ),
      state: all("SELECT * FROM _state WHERE name <> 'erasure key' ORDER BY 1"),
      columns: all('SELECT * FROM _column_names ORDER BY 1, 2, 3'),
      endpoints: all('SELECT * FROM _endpoints ORDER BY 1'),
      runs: all('SELECT * FROM _runs ORDER BY 1'),
      chat: all('SELECT * FROM chat ORDER BY key'),
      events: all("SELECT * FROM events WHERE id <> 'theirs' ORDER BY key"),
      ratings: all('SELECT * FROM ratings_continuous ORDER BY key'),
      components: all('SELECT * FROM components ORDER BY key'),
    });
    const before = others();
    expect(lab.warehouse.erase({ participant: id }, false).tables.slice(0, 2)).toEqual([
      { table: 'participants', erased: 1, replaced: 0 },
      { table: 'events', erased: 1, replaced: 0 },
    ]);
    expect(others()).toEqual(before);
    expect(compareDerived(db).filter((table) => table.rows > 0)).toEqual([]);
    lab.now += HOUR / 4;
    await lab.sync();
    expect(incomplete(lab)).toEqual([]);
  });
});

describe('a person whose id is unique within a room only', () => {
  it('is erased in one room, and the other person of that id stays', async () => {
    const { lab, id, world, experimentId } = await labWithPerson();
    const [person = {}] = world.records('participants', experimentId, lab.now);
    const rooms = world.records('rooms', experimentId, lab.now).map((room) => String(room['id']));
    const room = String(person['roomId'] ?? person['sessionId']);
    const other = rooms.find((one) => one !== room) ?? '';
    const [event = {}] = world
      .records('events', experimentId, lab.now)
      .filter(({ participantId }) => participantId === id);
    const elsewhere = 'roomId' in event ? { roomId: other } : { sessionId: other };
    world.insert('events', experimentId, { ...event, id: 'of another person', ...elsewhere }, lab.now);
    lab.now += HOUR / 4;
    await lab.sync();
    const inRoom = (at: string) =>
      lab.warehouse.db
        .prepare('SELECT count(*) FROM events WHERE participant_id = ? AND room_id = ?')
        .pluck()
        .get(id, at);
    expect(inRoom(room)).toBeGreaterThan(1);
    lab.warehouse.erase({ participant: id, room }, false);
    expect([inRoom(room), inRoom(other)]).toEqual([0, 1]);
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    expect([inRoom(room), inRoom(other)]).toEqual([0, 1]);
    expect(incomplete(lab)).toEqual([]);
  });
});
