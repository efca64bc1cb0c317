import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { csvLines } from '../../../src/export/csv.ts';
import { ndjsonLines, quarantinedLines } from '../../../src/export/ndjson.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { parseJson } from '../../../src/shared/json.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const chat = datasetNamed('chat');

/** A warehouse that holds these texts as the chat records of an experiment each. */
function holding(texts: Readonly<Record<string, readonly string[]>>) {
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });
  onTestFinished(() => warehouse.close());
  for (const [experimentId, records] of Object.entries(texts)) {
    const stream = { experimentId, dataset: chat, scope: { kind: 'experiment' as const } };
    const made = records.map((text) => {
      const read = normalise(chat, parseJson(text), { experimentId });
      return 'reason' in read ? { bad: { reason: read.reason, text } } : { row: read };
    });
    warehouse.commit(stream, {
      rows: made.flatMap(({ row }) => row ?? []),
      bad: made.flatMap(({ bad }) => bad ?? []),
    });
  }
  return warehouse.db;
}

/** A line of CSV as RFC 4180 has it, so that the test does not share the writer's rules. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
}

function table(lines: readonly string[]) {
  const [head = [], ...rows] = lines.map((line) => cells(line.replace(/\r\n$/, '')));
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

describe('a CSV file', () => {
  it('gives back commas, quotes and line breaks in a text as they were written', () => {
    const content = 'Well, he said "no"\r\nand left\n';
    const lines = [...csvLines(holding({ e: [JSON.stringify({ messageId: 'm1', content })] }), chat, [])];
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.endsWith('\r\n'))).toBe(true);
    expect(lines[1]).toContain('"Well, he said ""no""\r\nand left\n"');
    expect(table(lines)).toMatchObject([{ content }]);
  });

  it('leaves the cell of a NULL empty, and quotes nothing that needs no quotes', () => {
    const lines = [...csvLines(holding({ e: ['{"messageId":"m1","content":"hi","senderName":null}'] }), chat, [])];
    expect(lines.join('')).not.toContain('"');
    expect(table(lines)).toMatchObject([{ content: 'hi', sender_name: '', onset: '' }]);
  });

  it('writes numbers exactly', () => {
    const onsets = [0.1 + 0.2, -0.5, 1e21, 123456789.12345678];
    const texts = onsets.map((onset, i) => JSON.stringify({ messageId: `m${i}`, onset }));
    const written = table([...csvLines(holding({ e: texts }), chat, [])]).map(({ onset }) => Number(onset));
    expect(written).toEqual(onsets);
  });

  it('has the rows of the experiments that are named, and of all where none is', () => {
    const db = holding({ e1: ['{"messageId":"m1"}'], e2: ['{"messageId":"m1"}'] });
    const experiments = (ids: readonly string[]) =>
      table([...csvLines(db, chat, ids)]).map(({ experiment_id }) => experiment_id);
    expect(experiments(['e2'])).toEqual(['e2']);
    expect(experiments([])).toEqual(['e1', 'e2']);
  });
});

describe('an ndjson file', () => {
  it('has a record a line, with fields and numbers as the API sent them', () => {
    const text =
      '{"messageId":"m1","content":"two\\nlines","onset":0.30000000000000004,"big":12345678901234567890,"x":null}';
    const lines = [...ndjsonLines(holding({ e: [text] }), chat, [])];
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
    expect(lines[0]).toContain('"big":12345678901234567890');
    expect(JSON.parse(lines[0] ?? '')).toEqual(JSON.parse(text));
  });

  it('has what is no row as it came, with where it came from and why', () => {
    const db = holding({ e1: ['[1.0, 12345678901234567890]', '{"messageId":"m1"}'], e2: ['"text"'] });
    const [line, ...more] = [...quarantinedLines(db, chat, ['e1'])];
    expect(more).toEqual([]);
    expect(line).toMatch(/,"record":\[1\.0, 12345678901234567890\]\}\n$/);
    expect(JSON.parse(line ?? '')).toMatchObject({ quarantined: { experiment: 'e1', scope: 'experiment' } });
    expect([...ndjsonLines(db, chat, ['e1'])]).toHaveLength(1);
  });
});
