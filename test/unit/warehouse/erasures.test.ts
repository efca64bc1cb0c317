import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { createNamer, erasureOf } from '../../../src/warehouse/erasures.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

function opened() {
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });
  onTestFinished(() => warehouse.close());
  return warehouse;
}
const erasing = (participant: string) => erasureOf(opened().db, { participant }, 0);

describe('the id of an erased person', () => {
  it.each([
    ['user_SEADYH7Yuz', 'hello user_SEADYH7Yuz!', 'hello [erased]!'],
    ['user_SEADYH7Yuz', 'user_SEADYH7Yuz2', 'user_SEADYH7Yuz2'],
    ['user_SEADYH7Yuz', '{"to":["user_SEADYH7Yuz"]}', '{"to":["[erased]"]}'],
    ['p1', 'p1 and p10', 'p1 and p10'],
    ['p1', '{"to":["p1"],"text":"p1 is here"}', '{"to":["[erased]"],"text":"p1 is here"}'],
    ['12345678', 'call 12345678', 'call 12345678'],
    ['completed', 'completed', 'completed'],
    ['user_SEADYH7Yuz', '[not JSON] user_SEADYH7Yuz', '[not JSON] [erased]'],
    ['user_SEADYH7Yuz', '', ''],
  ])('%s is replaced in %s', (id, text, expected) => {
    expect(erasing(id).scrubText(text)).toBe(expected);
  });

  it.each([
    ['a record', '["p1","secret"]'],
    ['one that is nested too deep', `${'['.repeat(50_000)}"user_SEADYH7Yuz"${']'.repeat(50_000)}`],
    ['one that is too deep to be parsed', `${'['.repeat(600_000)}"user_SEADYH7Yuz"${']'.repeat(600_000)}`],
  ])('is found in a malformed record: %s', (_what, text) => {
    const id = text.includes('p1') ? 'p1' : 'user_SEADYH7Yuz';
    const { bad, erased } = erasing(id).apply(datasetNamed('chat'), { rows: [], bad: [{ reason: 'malformed', text }] });
    expect([bad.length, erased.length]).toEqual([0, 1]);
  });

  it('is looked for in long texts in a time that grows with their length only', () => {
    const erasure = erasing('user_SEADYH7Yuz');
    for (const text of ['1', 'a', '-', 'a-'].map((part) => part.repeat(3_000_000)))
      expect(erasure.scrubText(text)).toBe(text);
  });
});

describe('each text column of our own tables', () => {
  /** Those that hold no word of a record: names of ours, times, hashes, and ids that are no person's. */
  const NAMES_NOBODY =
    /^(experiment_id|data|room_id|table_name|relation|name|type|kind|version|member|outcome|change|type_before|type_now|column|unit|endpoint|boot_id|key_id|hash|mark|person|room|receipt|what|processing_version|last_status|.*_at|at|since|time|watermark|data_as_of|reread_began|reread_to|deleted_from)$/;
  const COMPUTED = [
    '_data_dictionary',
    '_tables',
    '_about',
    '_values',
    '_people_counts',
    '_derive_pending',
    '_wide_columns',
  ];

  it('is handled by an erasure, or names no one', () => {
    const { db } = opened();
    const columns = db
      .prepare<[], { at: string }>(
        `SELECT t.name || '.' || c.name AS at FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name LIKE '\\_%' ESCAPE '\\' AND c.type = 'TEXT'`,
      )
      .all()
      .map(({ at }) => at)
      .filter((at) => !NAMES_NOBODY.test(at.split('.')[1] ?? '') && !COMPUTED.includes(at.split('.')[0] ?? ''));
    expect(columns.sort()).toEqual([
      '_answer_metadata.scope',
      '_answer_metadata.value',
      '_column_names.path',
      '_endpoints.learned',
      '_erased_records.scope',
      '_experiment_starts.scope',
      '_field_types.field',
      '_history.key',
      '_history.record',
      '_missing_rows.key',
      '_missing_rows.scope',
      '_quarantine.key',
      '_quarantine.reason',
      '_quarantine.record',
      '_quarantine.scope',
      '_run_streams.scope',
      '_runs.error',
      '_runs.options',
      '_schema_changes.field',
      '_state.value',
      '_streams.doubts',
      '_streams.last_error',
      '_streams.reason',
      '_streams.reread_reason',
      '_streams.scope',
      '_streams.server_basis',
    ]);
  });
});

const record = (key: string, time?: number) => ({ key, time });

describe('the name of an erased record', () => {
  it('is its key', () => {
    expect(createNamer()([record('a', 1), record('b', 1), record('c')])).toEqual(['a', 'b', 'c']);
  });

  it('is the same whenever it comes again in a reading', () => {
    const namesOf = createNamer();
    expect([...namesOf([record('a', 1)]), ...namesOf([record('a', 1)])]).toEqual(['a', 'a']);
  });

  it('is another one for another time, whether they come at once or not', () => {
    const namesOf = createNamer();
    const first = namesOf([record('a', 1)]);
    expect([...first, ...namesOf([record('a', 1), record('a#2', 5)]), ...namesOf([record('a', 5)])]).toEqual([
      'a',
      'a',
      'a#2',
      'a#2',
    ]);
  });

  it('is another one for each of those that share a time', () => {
    expect(createNamer()([record('a', 1), record('a#2', 1), record('a#3', 1)])).toEqual(['a', 'a#2', 'a#3']);
  });

  it('keeps its ordinal where it has no time', () => {
    expect(createNamer()([record('a'), record('a#2')])).toEqual(['a', 'a#2']);
  });
});
