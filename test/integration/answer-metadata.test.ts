import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Fault } from '../../src/simulator/server.ts';
import { openLab } from '../support/lab.ts';

const Body = z.looseObject({ metadata: z.record(z.string(), z.unknown()) });

/** The answers of a data type with other members in their metadata. */
function saying(data: string, members: () => Record<string, unknown>) {
  return ({ path }: { path: string }): Fault | undefined =>
    path.startsWith(`/data/${data}/`)
      ? {
          kind: 'change',
          change(reply) {
            const body = Body.parse(JSON.parse(reply.body));
            return { ...reply, body: JSON.stringify({ ...body, metadata: { ...body.metadata, ...members() } }) };
          },
        }
      : undefined;
}

describe('what answers say besides their records', () => {
  it('is stored: the timeline of each room’s variables, and a doubt if HyperStudy lost writes', async () => {
    let droppedWrites: unknown[] = [];
    const lab = await openLab({ world: { experiments: 1 }, fault: saying('variables', () => ({ droppedWrites })) });
    await lab.sync({ selection: { data: ['rooms', 'variables'] } });
    const timelines = lab.warehouse.db
      .prepare<[], { rows: number; timeline: string }>(
        `SELECT s.rows, m.value AS timeline FROM _streams s JOIN _answer_metadata m USING (experiment_id, data, scope)
         WHERE m.member = 'timeline'`,
      )
      .all();
    expect(timelines.length).toBeGreaterThan(0);
    for (const { rows, timeline } of timelines) expect(JSON.parse(timeline)).toHaveLength(rows);
    const doubts = lab.warehouse.db
      .prepare<[], string>("SELECT DISTINCT doubts FROM _freshness WHERE data = 'variables'")
      .pluck();
    expect(doubts.all()).toEqual(['[]']);

    droppedWrites = [{ variable: 'points' }, { variable: 'choice' }];
    const { status } = await lab.sync({ selection: { data: ['rooms', 'variables'] }, full: true });
    expect(status).toBe('ok');
    expect(doubts.all().map((text) => JSON.parse(text) as unknown)).toEqual([
      [
        {
          kind: 'dropped-writes',
          text: 'HyperStudy reports that it lost 2 writes to variables of this room',
          count: 2,
        },
      ],
    ]);
  });

  it('is stored: the start of onsets and the version of processing, of the experiment and each room', async () => {
    const processing = { version: '3.0.0', experimentStartedAt: '2026-01-12T10:01:30+01:00' };
    const lab = await openLab({ world: { experiments: 1 }, fault: saying('variables', () => ({ processing })) });
    await lab.sync();
    const starts = (data: string) =>
      lab.warehouse.db
        .prepare<[string], Record<string, unknown>>(
          'SELECT room_id, started_at, processing_version, since FROM _experiment_starts WHERE data = ? ORDER BY scope',
        )
        .all(data);
    const [experimentId = ''] = lab.simulator.world.experimentIds;
    const rooms = lab.simulator.world.records('rooms', experimentId, lab.now).map(({ id }) => id);
    expect(starts('events')).toMatchObject([{ room_id: null, processing_version: '3.0.0' }]);
    expect(starts('events')[0]?.['started_at']).toMatch(/^2026-01-12T\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(starts('variables').map(({ room_id }) => room_id)).toEqual(rooms.sort());
    const first = starts('variables');
    for (const { started_at } of first) expect(started_at).toBe('2026-01-12T09:01:30.000Z');

    lab.now += 3_600_000;
    processing.version = '3.1.0';
    await lab.sync({ full: true });
    for (const { since, processing_version } of starts('variables').slice(0, first.length)) {
      expect(processing_version).toBe('3.1.0');
      expect(String(since) > String(first[0]?.['since'])).toBe(true);
    }
  });
});
