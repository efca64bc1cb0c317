import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareDerived } from '../../src/derive/rebuild.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { runVerify } from '../../src/sync/verify.ts';
import { HOUR, openLab, type Lab } from '../support/lab.ts';

/** The places in which a person was found, by table and column; and whether anything is left of them in the files. */
function placesOf({ warehouse: { db, path } }: Lab, id: string): string[] {
  const forms = [
    id,
    JSON.stringify(id).slice(1, -1),
    encodeURIComponent(id),
    id.replace(/[%/#:]/g, encodeURIComponent),
  ];
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const found = tables.flatMap((table) =>
    db
      .prepare<[], Record<string, unknown>>(`SELECT * FROM "${table}"`)
      .all()
      .flatMap((row) => Object.entries(row))
      .filter(([, value]) => typeof value === 'string' && forms.some((form) => value.includes(form)))
      .map(([column]) => `${table}.${column}`),
  );
  const files = ['', '-wal', '-shm'].map((suffix) => readFileSync(path + suffix));
  const traces = forms.filter((form) => files.some((file) => file.includes(Buffer.from(form))));
  return [...new Set([...found, ...traces])];
}

/** A lab in which a person does everything, and others speak of them in every way, once `happen` is called. */
async function labWith(id: string | number, experiments = 1) {
  const lab = await openLab({ world: { experiments, roomsPerExperiment: 1 } });
  const { world } = lab.simulator;
  const [one = ''] = world.experimentIds;
  const text = String(id);
  const add = (data: string, change: JsonObject, experiment = one) => {
    const [record] = world.records(data, experiment, lab.now);
    if (record !== undefined) world.insert(data, experiment, { ...record, ...change }, lab.now);
  };
  const own = [
    ...['components', 'eyetracking', 'videochat'],
    ...['ratings/continuous', 'ratings/sparse', 'sync', 'recordings', 'agent-decisions', 'agent-runs', 'variables'],
  ];
  const happen = () => {
    for (const experiment of world.experimentIds) {
      add('participants', { id }, experiment);
      add('events', { id: 'e1', participantId: id }, experiment);
    }
    add('chat', { messageId: 'c1', senderId: id, content: 'secret words' });
    for (const data of own) {
      const named = {
        ratingId: 'o',
        metricId: 'o',
        recordingId: 'o',
        id: 'o',
        url: `https://x.org/${encodeURIComponent(text)}`,
      };
      const [record = {}] = world.records(data, one, lab.now);
      const kept = Object.fromEntries(Object.entries(named).filter(([name]) => name in record));
      add(data, { participantId: id, ...kept });
    }
    add('chat', { messageId: 'c2', recipientIds: [id, 'z'] });
    add('chat', { messageId: 'c3', content: `hello ${text}!` });
    add('events', { id: 'e2', data: { by: { [text]: 1 }, who: [{ participantId: id, x: 'secret words' }] } });
    add('events', { id: 'e3', content: text, [text]: 4 });
    add('events', { id: 'e4', content: `see https://x.org/?p=${encodeURIComponent(text)}&q=1` });
    const asked = { questionId: `about ${text}`, question: `How was ${text}?`, answer: 'fine' };
    add('events', { id: 'e5', category: 'post_experiment', eventType: 'questionnaire.response', value: asked });
    if (!/[/#]/.test(text)) add('events', { id: `of:${text}` });
    add('variables', { variable: 'partner', value: { of: id } });
    add('variables', { variable: 'partner2', value: id });
    add('variables', { variable: text, value: 4 });
    add('variables', { variable: `score of ${text}`, value: 4 });
    add('components', { variableSnapshot: { leader: id } });
    add('rooms', { id: 'room_new', members: [id] });
  };
  return { lab, happen };
}

const incomplete = ({ warehouse: { db } }: Lab) =>
  db.prepare('SELECT data, scope, reason FROM _streams WHERE complete = 0').all();

async function wrongIn(lab: Lab) {
  const { streams } = await runVerify({ ...lab.context(), full: true, selection: {}, deep: true, repair: false });
  return {
    incomplete: incomplete(lab),
    differing: streams.filter(({ status }) => status !== 'equal').map(({ data }) => data),
    derived: compareDerived(lab.warehouse.db).filter(({ rows }) => rows > 0),
  };
}

describe('an id of any shape', () => {
  it.each<string | number>(['o\'brien "99" {x}', 'a.*+?^${}()|[]\\p9', 'Ü'.repeat(600), 1234567890])(
    '%j is gone from JSON that was sent as a text, and does not come back',
    async (id) => {
      const { lab } = await labWith(id);
      const { world } = lab.simulator;
      const [experiment = ''] = world.experimentIds;
      const [[person = {}], [message = {}], [event = {}]] = (['participants', 'chat', 'events'] as const).map((data) =>
        world.records(data, experiment, lab.now),
      ) as [JsonObject[], JsonObject[], JsonObject[]];
      const json = JSON.stringify({ to: id, all: [id, 7] });
      world.insert('participants', experiment, { ...person, id }, lab.now);
      world.insert('chat', experiment, { ...message, messageId: 'c1', content: json, recipientIds: [id] }, lab.now);
      world.insert('events', experiment, { ...event, id: 'e1', data: { raw: json, deep: [{ to: id }] } }, lab.now);
      await lab.sync();
      const written = () =>
        lab.warehouse.db
          .prepare(
            "SELECT content, recipient_ids FROM chat WHERE message_id = 'c1' UNION ALL SELECT data, extra FROM events WHERE id = 'e1'",
          )
          .raw()
          .all();
      const form = JSON.stringify(JSON.stringify(id).replaceAll('"', '')).slice(1, -1).slice(0, 8);
      expect(JSON.stringify(written())).toContain(form);
      for (let times = 0; times < 2; times++) {
        lab.warehouse.erase({ participant: String(id) }, false);
        expect(JSON.stringify(written())).not.toContain(form);
        expect(JSON.stringify(written())).toContain('7');
        lab.now += HOUR / 4;
        await lab.sync({ full: true });
        expect(JSON.stringify(written())).not.toContain(form);
      }
      expect(incomplete(lab)).toEqual([]);
    },
  );

  it.each(['ana.kowalska@example.org', 'room_9/p#2:x%41', 'Ünïcödé-用户-👩‍🔬12', '123456789012345678901'])(
    '%s is gone from everything that others sent, and does not come back',
    async (id) => {
      const { lab, happen } = await labWith(id);
      happen();
      await lab.sync();
      expect(placesOf(lab, id).length).toBeGreaterThan(30);
      lab.warehouse.erase({ participant: id }, false);
      expect([placesOf(lab, id), placesOf(lab, 'secret words')]).toEqual([[], []]);
      lab.now += HOUR / 4;
      await lab.sync({ full: true });
      lab.warehouse.tendForReaders();
      expect(placesOf(lab, id)).toEqual([]);
      expect(lab.warehouse.erase({ participant: id }, true).tables).toEqual([]);
      expect(await wrongIn(lab)).toEqual({ incomplete: [], differing: [], derived: [] });
    },
  );

  it('does not come with what happens after the erasure', async () => {
    const id = 'ana.kowalska@example.org';
    const { lab, happen } = await labWith(id, 2);
    await lab.sync();
    lab.warehouse.erase({ participant: id }, false);
    happen();
    lab.now += HOUR / 4;
    await lab.sync({ full: true });
    lab.warehouse.tendForReaders();
    expect([placesOf(lab, id), placesOf(lab, 'secret words')]).toEqual([[], []]);
    expect(await wrongIn(lab)).toEqual({ incomplete: [], differing: [], derived: [] });
  });

  it('may be a number, or be like those of others, who keep everything', async () => {
    for (const [id, other] of [
      [12345678, '123456789'],
      ['User_ABC123', 'user_abc123'],
    ] as const) {
      const { lab, happen } = await labWith(other);
      happen();
      await lab.sync();
      const { world } = lab.simulator;
      const [experiment = ''] = world.experimentIds;
      const [event = {}] = world.records('events', experiment, lab.now);
      world.insert('events', experiment, { ...event, id: 'theirs', participantId: id }, lab.now);
      await lab.sync({ full: true });
      const events = lab.warehouse.db.prepare("SELECT * FROM events WHERE id <> 'theirs' ORDER BY key");
      const kept = () => [placesOf(lab, other), events.all()];
      const before = kept();
      lab.warehouse.erase({ participant: String(id) }, false);
      expect([id, kept()]).toEqual([id, before]);
      await lab.sync({ full: true });
      expect([id, kept(), incomplete(lab)]).toEqual([id, before, []]);
      expect([id, lab.warehouse.db.prepare("SELECT 1 FROM events WHERE id = 'theirs'").all()]).toEqual([id, []]);
    }
  });
});
