import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { roomOf, type Entry } from '../../src/simulator/catalogue/entry.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import type { Readings } from '../../src/simulator/readings.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { HOUR, START } from '../support/lab.ts';
import { installSdk, runSdk } from '../support/sdk.ts';

/** Records in an order of their own, without what differs in every answer. */
function plain(records: readonly unknown[]): string[] {
  return records
    .map((record) => {
      const { downloadUrl, ...rest } = record as Record<string, Json>;
      return canonicalJson(
        typeof downloadUrl === 'string' ? { ...rest, downloadUrl: downloadUrl.split('?')[0] ?? '' } : rest,
      );
    })
    .sort();
}

type Records = Record<string, Json>[];
type ByType = Record<string, Records>;

interface Room {
  readonly data: ByType;
  readonly timeline: Records;
  readonly decisions: Records;
}
interface Participant {
  readonly id: string;
  readonly room: string;
  readonly data: ByType;
  readonly questionnaire: Records;
  readonly instructions: Records;
  readonly consent: Records;
  readonly counts: { readonly counts: Record<string, number>; readonly hasData: Record<string, boolean> };
}
interface Experiment {
  readonly experiment: Record<string, Json>;
  readonly config: Json;
  readonly export: Record<string, Json>;
  readonly data: ByType;
  readonly deployment: Json;
  readonly rooms: Record<string, Room>;
  readonly participants: readonly Participant[];
  readonly download: string;
}
interface Read {
  readonly health: { readonly status: string };
  readonly experiments: Records;
  readonly each: Record<string, Experiment>;
}

/** What the official SDK reads from a simulator, and the records that the simulator holds. */
async function readBySdk(readings: Partial<Readings>) {
  const now = START + 3 * HOUR;
  const simulator = await startSimulator({
    now: () => now,
    meterNow: Date.now,
    limits: { perHour: 1e6, perEndpointPerMinute: 1e6 },
    readings,
  });
  try {
    const ran = await runSdk(join(import.meta.dirname, 'python_sdk.py'), {
      env: { HYPERSTUDY_API_KEY: simulator.key, HYPERSTUDY_BASE_URL: simulator.url },
    });
    expect(ran.status, ran.stderr).toBe(0);
    const truth = (dataType: string, id: string) => simulator.world.records(dataType, id, now);
    return { read: JSON.parse(ran.stdout) as Read, world: simulator.world, truth };
  } finally {
    await simulator.close();
  }
}

const inRoom = (room: string, entry?: Entry) => (record: SimRecord) => roomOf(entry, record) === room;
const of = (person: string) => (record: SimRecord) => (record['participantId'] ?? record['senderId']) === person;

/** Compares records whatever their order; names what was compared where they differ. */
function expectSame(read: readonly unknown[] | undefined, truth: readonly unknown[], what: string): void {
  expect(plain(read ?? []), what).toEqual(plain(truth));
}

describe('the official Python SDK', () => {
  const missing = installSdk();
  if (missing !== undefined) console.log(`skipped: ${missing}`);

  it.skipIf(missing !== undefined).each([
    ['in pages of 1000', {}],
    ['where the server clamps its pages', { maxLimit: 100 }],
  ] satisfies [string, Partial<Readings>][])(
    'reads every data type in every scope and gets what the simulator holds, %s',
    async (_, readings) => {
      const { read, world, truth } = await readBySdk(readings);
      expect(read.health.status).toBe('healthy');
      expect(read.experiments.map(({ id }) => id).sort()).toEqual([...world.experimentIds].sort());
      for (const id of world.experimentIds) {
        const got = read.each[id];
        if (got === undefined) throw new Error(`the SDK read nothing of ${id}`);
        const listed = read.experiments.find((experiment) => experiment['id'] === id);
        expect(got.experiment).toEqual(listed);
        expect(got.export).toEqual({ experiment: listed, config: got.config });
        expectSame([got.config], truth('experiment-configs', id), `config of ${id}`);
        expectSame([got.deployment], truth('deployments', id), `deployment of ${id}`);
        expect(Object.keys(got.data).length).toBe(15);
        for (const [dataType, records] of Object.entries(got.data))
          expectSame(records, truth(dataType, id), `${dataType} of ${id}`);
        expect(Object.keys(got.rooms).length).toBe(truth('rooms', id).length);
        for (const [room, { data, timeline, decisions }] of Object.entries(got.rooms)) {
          for (const [dataType, records] of Object.entries(data))
            expectSame(
              records,
              truth(dataType, id).filter(inRoom(room, world.catalogue.get(dataType))),
              `${dataType} of ${room}`,
            );
          expectSame(decisions, truth('agent-decisions', id).filter(inRoom(room)), `decisions of ${room}`);
          expect(timeline.length).toBe(data['variables']?.length);
        }
        for (const { id: person, room, data, counts, ...events } of got.participants) {
          const theirs = (dataType: string) =>
            truth(dataType, id)
              .filter(inRoom(room, world.catalogue.get(dataType)))
              .filter(of(person));
          for (const [dataType, records] of Object.entries(data)) {
            expectSame(records, theirs(dataType), `${dataType} of ${person}`);
            expect(counts.counts[dataType], `count of ${dataType}`).toBe(records.length);
            expect(counts.hasData[dataType]).toBe(records.length > 0);
          }
          const starting = (field: string, text: string) =>
            theirs('events').filter((event) => String(event[field]).startsWith(text));
          for (const [kind, field, text] of [
            ['questionnaire', 'category', 'questionnaire'],
            ['instructions', 'eventType', 'instructions.'],
            ['consent', 'eventType', 'consent.'],
          ] as const) {
            expect(events[kind].length, kind).toBeGreaterThan(0);
            expectSame(events[kind], starting(field, text), `${kind} of ${person}`);
          }
        }
        expect(got.download).toMatch(/^http:.*X-Goog-Signature=/);
      }
    },
    300_000,
  );
});
