import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { openBench } from '../../support/derived.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('a warehouse that explains itself', () => {
  it('lists every table and view for readers, and none that is not there', () => {
    const bench = openBench();
    const there = bench.rows(
      "sqlite_schema WHERE type IN ('table', 'view') AND substr(name, 1, 1) <> '_' AND name NOT LIKE 'sqlite%'",
      'name',
    );
    const listed = bench.rows("_tables WHERE substr(name, 1, 1) <> '_'", 'name');
    expect(listed.map(({ name }) => name).sort()).toEqual(there.map(({ name }) => name).sort());
    expect(bench.rows("_tables WHERE row_is = '' OR about = ''")).toEqual([]);
  });

  it('names columns to join by that the table has', () => {
    const bench = openBench();
    for (const { name, join_by } of bench.rows('_tables WHERE join_by IS NOT NULL', 'name', 'join_by')) {
      const columns = bench.rows(`pragma_table_info('${String(name)}')`, 'name').map((column) => column['name']);
      expect(columns, String(name)).toEqual(expect.arrayContaining(String(join_by).split(', ')));
    }
  });

  it('names the data types that a table or view comes from, as _freshness does', () => {
    const bench = openBench();
    bench.write('experiments', { name: 'Trust' });
    bench.write('participants', { id: 'ana' });
    const known = DATASETS.map(({ name }) => name);
    const from = (name: string) => bench.rows(`_tables WHERE name = '${name}'`, 'data')[0]?.['data'];
    for (const { data } of bench.rows("_tables WHERE kind <> 'own'", 'data'))
      expect(known).toEqual(expect.arrayContaining(String(data).split(', ')));
    expect(from('chat_all')).toBe('chat');
    expect(from('answers')).toBe('experiment-configs, events, ratings/sparse, components');
    expect(from('questionnaire')).toBe(from('answers'));
    expect(from('consent')).toBe('events');
    expect(from('session_timeline')).toContain('recordings, chat');
  });

  it('says what the codes mean, those of questions by the configuration of the experiment', () => {
    const bench = openBench();
    const config = { options: [{ value: 'y', label: 'Yes' }, { value: 2, label: 'No' }, 'maybe'] };
    const scale = { scaleMin: 1, scaleMax: 7, labels: { min: 'never', max: 'always' } };
    bench.write('experiment-configs', {
      name: 'x',
      states: [
        { id: 's', focusComponent: { id: 'c', config } },
        { id: 't', focusComponent: { id: 'd', config: scale } },
      ],
    });
    expect(
      bench.rows("_values WHERE experiment_id = 'e'", 'question_id', 'value_number', 'value_text', 'label'),
    ).toEqual([
      { question_id: 'c', value_number: null, value_text: 'y', label: 'Yes' },
      { question_id: 'c', value_number: 2, value_text: null, label: 'No' },
      { question_id: 'c', value_number: null, value_text: 'maybe', label: 'maybe' },
      { question_id: 'd', value_number: 1, value_text: null, label: 'never' },
      { question_id: 'd', value_number: 7, value_text: null, label: 'always' },
    ]);
    expect(bench.rows("_values WHERE value_text = 'SUCCESS'", 'table_name', 'label')).toEqual([
      { table_name: 'people', label: 'finished' },
      { table_name: 'participants', label: 'finished' },
    ]);
    expect(bench.wrong()).toEqual([]);
  });

  it('is not written to when it is opened again', () => {
    const path = join(temporaryFolder(), 'w.db');
    openBench(path).warehouse.close();
    const bench = openBench(path);
    expect(bench.rows('_about', 'value')).toContainEqual({ value: expect.stringContaining('_freshness') as string });
    expect(bench.warehouse.db.prepare('SELECT total_changes()').pluck().get()).toBe(0);
  });
});
