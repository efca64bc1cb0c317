import fc from 'fast-check';
import { createClient } from '../../src/api/client.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { denormalise, normalise } from '../../src/datasets/normalise.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { canonicalJson, parseJson } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { SimulatedNetwork } from './network.ts';

export interface FuzzResult {
  readonly cases: number;
  readonly records: number;
  readonly quarantined: number;
  readonly refused: number;
}

const key = fc.oneof(
  fc.constantFrom(
    ...new Set(DATASETS.flatMap(({ fields }) => Object.keys(fields))),
    'experimentId',
    '$absent',
    '__proto__',
    '',
  ),
  fc.string({ unit: 'binary' }),
);
const scalar = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom(
    'exp_1',
    '2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05.1234+02:00',
    '\ud800',
    'a\0b',
    -0,
    1e21,
    5e-324,
  ),
  fc.constantFrom('@9007199254740993', '@1e400', '@-0.0', '@0.30000000000000000001').map((text) => ({ raw: text })),
);
const record = fc.oneof(
  { weight: 9, arbitrary: fc.dictionary(key, scalar, { maxKeys: 10, noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const envelope = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      status: fc.constant('success'),
      data: fc.oneof(fc.array(record, { maxLength: 5 }), record),
      metadata: fc.jsonValue(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom('status', 'data', 'error', 'metadata'), fc.jsonValue(), {
      noNullPrototype: true,
    }),
  },
);

/** Numbers that no double holds, written into the text as they would come over the wire. */
function textOf(value: unknown): string {
  return JSON.stringify(value).replace(/\{"raw":"@([^"]+)"\}/g, '$1');
}

/**
 * Arbitrary envelopes and records through the real client and normaliser: nothing but a plain refusal may be thrown,
 * and each record comes back as it was sent or is kept with the reason why not.
 * @throws when a case breaks this, with the case.
 */
export async function fuzz({ cases, seed }: { cases: number; seed: number }): Promise<FuzzResult> {
  let body = '';
  const network = new SimulatedNetwork(() => ({ reply: { status: 200, headers: {}, body } }));
  const tally = { records: 0, quarantined: 0, refused: 0 };
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const budget = { spend: <T>(_: unknown, send: () => Promise<T>) => send(), pause: () => undefined };
  const open = () =>
    createClient({
      baseUrl: 'http://fuzz/api/v3',
      key: 'k',
      budget,
      clock,
      random: () => 0,
      log: silentLog,
      timeoutMs: 60_000,
      userAgent: 'fuzz',
      dispatcher: network,
    });
  let client = open();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 19, arbitrary: envelope.map(textOf) }, fc.string()),
      fc.constantFrom(...DATASETS),
      async (text, dataset) => {
        body = text;
        try {
          const { data } = await client.get({ path: '/x', endpoint: 'x', what: 'fuzz' });
          for (const sent of data) {
            const row = normalise(dataset, sent, { experimentId: 'exp_1' });
            if ('reason' in row) {
              if (canonicalJson(parseJson(row.text)) !== canonicalJson(sent))
                throw new Error('a bad record was not kept as it was');
              tally.quarantined++;
            } else {
              const back = denormalise(dataset, { ...row, experimentId: 'exp_1' });
              if (canonicalJson(back) !== canonicalJson(sent))
                throw new Error(`${dataset.name}: ${canonicalJson(sent)} came back as ${canonicalJson(back)}`);
              tally.records++;
            }
          }
        } catch (error) {
          if (!(error instanceof WarehouseError)) throw error;
          tally.refused++;
          // A refused key stops a client for good.
          if (error.code === 'KEY_REFUSED') client = open();
        }
      },
    ),
    { numRuns: cases, seed },
  );
  return { cases, ...tally };
}

if (process.argv[1] === import.meta.filename) {
  const began = Date.now();
  const { cases, records, quarantined, refused } = await fuzz({
    cases: Number(process.argv[2] ?? 100_000),
    seed: Number(process.argv[3] ?? 1),
  });
  console.log(
    `${cases} cases in ${((Date.now() - began) / 1000).toFixed(0)} s: ${records} records came back as sent, ${quarantined} were quarantined as sent, ${refused} answers were refused; no crash, no loss`,
  );
}
