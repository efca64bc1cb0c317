import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { privacyIn, undeclaredFields } from '../../../src/warehouse/privacy.ts';
import { at, openBench, type Bench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

/** The columns of everything that `_tables` lists, with what the dictionary says of each, if it does. */
const columns = (bench: Bench) =>
  bench.rows(
    `_tables t JOIN pragma_table_info(t.name) c
     LEFT JOIN _data_dictionary d ON d.table_name = t.name AND d.column_name = c.name`,
    "t.name || '.' || c.name AS name",
    't.name AS relation',
    'c.name AS "column"',
    'c.type AS declared',
    'd.*',
  );

const lacking = (bench: Bench) =>
  columns(bench)
    .filter(({ meaning, missing }) => [meaning, missing].some((text) => text === null || text === ''))
    .map(({ name }) => name);

/** A bench in which everything that a column comes from has happened, members and a wide table among it. */
function filled(path?: string): Bench {
  const bench = openBench(path);
  const whose = { roomId: 'r', participantId: 'ana' };
  bench.write('experiments', { name: 'Trust', shared: true });
  bench.write('experiment-configs', {
    name: 'Trust',
    states: [{ id: 's', focusComponent: { id: 'c', type: 'likert' } }],
  });
  bench.write('rooms', { id: 'r', createdAt: at(0).timestamp });
  bench.write('participants', { id: 'ana', roomId: 'r', joinedAt: at(0).timestamp });
  const event = { ...whose, componentId: 'c', stateId: 's', category: 'component', eventType: 'component.response' };
  bench.write('events', { id: 'a', ...event, ...at(5), response: { value: 2, mood: 'calm' } });
  bench.write('events', {
    id: 'b',
    ...event,
    ...at(6),
    onset: 'late',
    newField: 1,
    response: { value: 'no' },
  });
  bench.write('variables', { ...whose, ...at(7), variable: 'points', value: 3 });
  bench.warehouse.tendForReaders();
  return bench;
}

describe('the dictionary of a warehouse', () => {
  it('says what each column reveals about a person, and that this is unknown for fields that no data type declares', () => {
    const unknown = columns(filled()).filter(({ privacy }) => privacy === 'unknown' || privacy === null);
    const undeclared = unknown.map(({ name }) => String(name)).filter((name) => !name.endsWith('.extra'));
    expect(undeclared).toEqual(['events.new_field', 'events_all.new_field']);
  });

  it('says that a column reveals as much about a person as the field that it comes from', () => {
    const expected = {
      'participants.id': 'direct',
      'participants.participant_id': 'direct',
      'participants.email': 'direct',
      'participants.joined_at_unix': 'indirect',
      'chat.recipient_ids': 'direct',
      'chat_all.content': 'free text',
      'events.response': 'free text',
      'events.response_mood': 'free text',
      'events.response_value_type': 'none',
      'events.response_value_number': 'indirect',
      // A value that does not fit the column of its field.
      'events.onset_text': 'none',
      'events.new_field': 'unknown',
      'events.extra': 'unknown',
      'components.key': 'direct',
      'events.key': 'indirect',
      'people.participant_id': 'direct',
      'questionnaire.participant_id': 'direct',
      'answers.value_text': 'free text',
      'wide_trust.c': 'indirect',
      'wide_trust.c_text': 'free text',
      '_history.record': 'direct',
      '_freshness.scope': 'direct',
      'nowhere.nothing': 'unknown',
    };
    const privacy = privacyIn(filled().warehouse.db);
    const said = Object.keys(expected).map((name) => {
      const [table = '', column = ''] = name.split('.');
      return [name, privacy(table, column)];
    });
    expect(Object.fromEntries(said)).toEqual(expected);
  });

  it('lists the fields that no data type declares, also where they have no column', () => {
    const bench = filled();
    bench.write('chat', {
      messageId: 'm',
      roomId: 'r',
      senderId: 'ana',
      ...at(8),
      'phone\u0000number': '1',
      senderName: 7,
    });
    expect(undeclaredFields(bench.warehouse.db)).toEqual(['events.newField', 'chat.phone\u0000number']);
  });

  it('says of each column of each table and view what it means and what it means that there is no value', () => {
    const bench = filled();
    expect(lacking(bench)).toEqual([]);
    const relations = new Set(columns(bench).map(({ relation }) => relation));
    for (const name of [
      'events',
      'events_all',
      'people',
      'wide_trust',
      'questionnaire',
      'session_timeline',
      '_freshness',
    ])
      expect([...relations]).toContain(name);
    const names = columns(bench).map(({ name }) => name);
    for (const name of ['events.response_mood', 'events_all.new_field', 'wide_trust.c']) expect(names).toContain(name);
  });

  it('names the type that each column has, and the unit of each number that is not a boolean', () => {
    const all = columns(filled());
    const numbers = all.filter(({ type }) => type === 'INTEGER' || type === 'REAL');
    expect(numbers.filter(({ unit }) => unit === null).map(({ name }) => name)).toEqual([]);
    expect(
      all
        .filter(({ type, declared }) => declared !== '' && String(declared).toUpperCase() !== type)
        .map(({ name }) => name),
    ).toEqual([]);
    expect(
      all.filter(({ is_boolean, unit }) => (is_boolean === 1) !== (unit === '0 or 1')).map(({ name }) => name),
    ).toEqual([]);
  });

  it('says the same of a column in a view as in the table that it comes from', () => {
    const bench = filled();
    const said = (relation: string) =>
      bench.rows(
        `_data_dictionary WHERE table_name = '${relation}' AND column_name = 'onset'`,
        'type',
        'unit',
        'meaning',
        'missing',
        'source',
      );
    expect(said('events_all')).toEqual(said('events'));
    expect(said('consent')).toEqual(said('events'));
    expect(said('questionnaire')).toEqual(said('answers'));
    expect(said('events')).toMatchObject([{ unit: 'ms', source: 'HyperStudy API, events: onset' }]);
  });

  it('names the values of coded columns, which _values explains', () => {
    const bench = filled();
    const [kind] = bench.rows(
      "_data_dictionary WHERE table_name = 'answers' AND column_name = 'kind'",
      'allowed_values',
    );
    expect(kind).toEqual({ allowed_values: 'questionnaire, component, rating' });
    const unknown = bench.rows(
      '_values v LEFT JOIN _data_dictionary d USING (table_name, column_name) WHERE v.question_id IS NULL AND d.allowed_values IS NULL',
      "table_name || '.' || column_name AS name",
    );
    expect(unknown).toEqual([]);
  });

  it('is completed when a warehouse of an earlier version is opened, and not written to at the next opening', () => {
    const path = join(temporaryFolder(), 'w.db');
    writeFileSync(path, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
    const bench = openBench(path);
    expect(lacking(bench)).toEqual([]);
    expect(bench.rows('_data_dictionary').length).toBe(columns(bench).length);
    bench.warehouse.close();
    expect(openBench(path).warehouse.db.prepare('SELECT total_changes()').pluck().get()).toBe(0);
  });

  it('calls a column never missing only if each of its rows has a value', () => {
    const bench = filled();
    const wrong = columns(bench).filter(
      ({ relation, column, missing }) =>
        missing === 'never missing' &&
        bench.rows(`"${String(relation)}" WHERE "${String(column)}" IS NULL LIMIT 1`).length > 0,
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
