import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Json } from '../../../src/shared/json.ts';
import { keepHistory } from '../../../src/warehouse/history.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { openForWriting } from '../../../src/warehouse/open.ts';
import { prepareUpsert } from '../../../src/warehouse/upsert.ts';
import { temporaryFolder } from '../../support/lab.ts';

const dataset = datasetNamed('ratings/continuous');

function rowOf(record: Json) {
  const row = normalise(dataset, record, { experimentId: 'e' });
  if ('reason' in row) throw new Error(row.reason);
  return row;
}

describe('a row that is written', () => {
  it('is inserted once, unchanged while it is the same, and updated if a value or its absence differs', () => {
    const db = openForWriting(join(temporaryFolder(), 'w.db'));
    migrate(db);
    const upsert = prepareUpsert(db, dataset);
    const write = (record: Json) => upsert('e', rowOf(record), '2026-01-01T00:00:00.000Z');
    expect(write({ ratingId: 'a', value: 1 })).toBe('inserted');
    expect(write({ ratingId: 'a', value: 1 })).toBe('unchanged');
    expect(write({ ratingId: 'a', value: 2 })).toBe('updated');
    expect(write({ ratingId: 'a' })).toBe('updated');
    expect(write({ ratingId: 'a' })).toBe('unchanged');
    expect(write({ ratingId: 'a', news: true })).toBe('updated');
    db.close();
  });

  it('is unchanged if the members of its objects come in another order, and updated if a list or a text does', () => {
    const db = openForWriting(join(temporaryFolder(), 'w.db'));
    migrate(db);
    const events = datasetNamed('events');
    const upsert = prepareUpsert(db, events);
    const write = (record: Json) => {
      const row = normalise(events, record, { experimentId: 'e' });
      if ('reason' in row) throw new Error(row.reason);
      return upsert('e', row, '2026-01-01T00:00:00.000Z');
    };
    const list = [{ x: 1, y: 2 }, 3];
    const event = {
      id: 'a',
      data: { a: 1, b: list },
      value: { p: 1, q: 2 },
      content: '{"a":1,"b":2}',
      news: { c: 1, d: 2 },
    };
    expect(write(event)).toBe('inserted');
    const turned = { news: { d: 2, c: 1 }, value: { q: 2, p: 1 }, data: { b: [{ y: 2, x: 1 }, 3], a: 1 } };
    expect(write({ ...turned, content: event.content, id: 'a' })).toBe('unchanged');
    expect(write({ ...event, data: { a: 1, b: [3, { x: 1, y: 2 }] } })).toBe('updated');
    expect(write({ ...event, eventType: '{"a":1,"b":2}' })).toBe('updated');
    expect(write({ ...event, eventType: '{"b":2,"a":1}' })).toBe('updated');
    db.close();
  });

  it('is changed by another transaction of the same millisecond too, and its former version is kept', () => {
    const db = openForWriting(join(temporaryFolder(), 'w.db'));
    migrate(db);
    keepHistory(db, [dataset]);
    const upsert = prepareUpsert(db, dataset);
    const now = '2026-01-01T00:00:00.000Z';
    expect(upsert('e', rowOf({ ratingId: 'a', value: 1 }), now)).toBe('inserted');
    expect(upsert('e', rowOf({ ratingId: 'a', value: 2 }), now)).toBe('updated');
    expect(db.prepare('SELECT what FROM _history').pluck().all()).toEqual(['changed']);
    db.close();
  });
});

/** The bytes that a process of its own writes for new rows, and the size of the file that they end in. */
function bytesWritten(rows: number): { written: number; file: number } {
  const from = (path: string) => JSON.stringify(join(import.meta.dirname, '../../../src', path));
  const program = `
    import { readFileSync, statSync } from 'node:fs';
    import { normalise } from ${from('datasets/normalise.ts')};
    import { datasetNamed } from ${from('datasets/registry.ts')};
    import { keepHistory } from ${from('warehouse/history.ts')};
    import { migrate } from ${from('warehouse/migrate.ts')};
    import { openForWriting } from ${from('warehouse/open.ts')};
    import { prepareUpsert } from ${from('warehouse/upsert.ts')};
    const dataset = datasetNamed('ratings/continuous');
    const db = openForWriting('w.db');
    migrate(db);
    keepHistory(db, [dataset]);
    const upsert = prepareUpsert(db, dataset);
    const written = () => Number(/^wchar: (\\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
    const before = written();
    for (let page = 0; page < ${rows / 1000}; page += 10) db.transaction(() => {
      for (let i = page * 1000; i < (page + 10) * 1000; i++) {
        const ratingId = 'r_' + (i * 2654435761 % 4294967296).toString(36);
        upsert('e', normalise(dataset, { ratingId, roomId: 'room_1', participantId: 'p_1', value: i, timestamp: new Date(1767225600000 + i).toISOString() }, { experimentId: 'e' }), '2026-01-01T00:00:00.000Z');
      }
    })();
    db.pragma('wal_checkpoint(TRUNCATE)');
    console.log(JSON.stringify({ written: written() - before, file: statSync('w.db').size }));`;
  const options = { cwd: temporaryFolder(), encoding: 'utf8' } as const;
  const out = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', program], options);
  const [written, file] = (/"written":(\d+),"file":(\d+)/.exec(out) ?? []).slice(1).map(Number);
  if (written === undefined || file === undefined) throw new Error(out);
  return { written, file };
}

describe.runIf(process.platform === 'linux')('new rows', () => {
  it('are written to the write-ahead log and the file, and nowhere else', () => {
    const { written, file } = bytesWritten(20_000);
    expect(written).toBeLessThan(3 * file);
  });
});
