/**
 * `npm run mutants [-- --seeds 60 --from 1]`: breaks each safeguard on purpose, in a copy, and looks for the first seed whose simulation notices.
 * A mutant that survives means that the simulation would not notice the same mistake of ours.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the watermark moves past a page that warned',
    file: 'src/sync/incremental.ts',
    from: 'if (doubts.length === 0) watermark = later(watermark, newest(session, chunk.rows));',
    to: 'watermark = later(watermark, newest(session, chunk.rows));',
  },
  {
    name: 'the watermark runs ahead of what is committed',
    file: 'src/sync/incremental.ts',
    from: 'position: { watermark } });',
    to: 'position: { watermark: watermark === undefined ? undefined : watermark + 86_400_000 } });',
  },
  {
    name: 'the watermark goes with rows that are dated ahead',
    file: 'src/read/reconcile.ts',
    from: 'time === undefined || time > now ? latest',
    to: 'time === undefined ? latest',
  },
  {
    name: 'a gap behind the newest page is left where the counts agree',
    file: 'src/sync/incremental.ts',
    from: 'isNews || isApart(session, oldest, watermark)',
    to: 'isNews',
  },
  {
    name: 'pages go on behind the last timestamp instead of at it',
    file: 'src/read/place.ts',
    from: '? { from: time, offset: 0 }',
    to: '? { from: time + 2, offset: 0 }',
  },
  {
    name: 'startTime is asked for without the millisecond before it',
    file: 'src/read/place.ts',
    from: "from: by === 'key' && from !== undefined ? from - 1 : undefined,",
    to: "from: by === 'key' ? from : undefined,",
  },
  {
    name: 'a listing pages by plain offset',
    file: 'src/read/paginate.ts',
    from: 'const step = places[start] ?? page.returned - guard;',
    to: 'const step = page.returned - guard;',
  },
  {
    name: 'records are not accounted for',
    file: 'src/sync/account.ts',
    from: `  const { total, met, isShown, byRoom } = reading;
  const held = sink.held();`,
    to: `  const { total, met, isShown, byRoom } = reading;
  const held = sink.held();
  if (reading.doubts.length === 0) return settled(held, held, undefined);`,
  },
  {
    name: 'an answer that says that it is the last is believed',
    file: 'src/read/evidence.ts',
    from: 'return returned < largestPage ||',
    to: 'return true ||',
  },
  {
    name: 'the rooms are taken for all of what may belong to none',
    file: 'src/read/rooms.ts',
    from: 'stream.dataset.roomless !== true &&',
    to: 'stream.dataset.roomless !== undefined &&',
  },
  {
    name: 'rows are deleted on one reading',
    file: 'src/sync/deletions.ts',
    from: 'return at !== undefined && (confirmAfterMs === 0 || startedAt - at >= confirmAfterMs);',
    to: 'return at === undefined || confirmAfterMs >= 0 || startedAt > 0;',
  },
  {
    name: 'rows are deleted although the API counts as many as before',
    file: 'src/sync/prove.ts',
    from: `session.sink.seen.newRepeats === 0 &&
    surplus === gone.length &&`,
    to: 'session.sink.seen.newRepeats === 0 &&',
  },
  {
    name: 'rows are deleted on the word of an order that leaves some out',
    file: 'src/sync/prove.ts',
    from: 'if (isPlain || unseen(session, reading).length === 0) break;',
    to: 'if (isPlain || reading.unseen.length >= 0) break;',
  },
  {
    name: 'data that the server derived again are not read again',
    file: 'src/read/reread-mark.ts',
    from: 'return changed >= FEW &&',
    to: 'return changed < 0 &&',
  },
  {
    name: 'a stream whose experiment or scope is gone stays complete',
    file: 'src/sync/stream.ts',
    from: 'return { doubts: [failed, ...kept], finished: false,',
    to: 'return { doubts: [failed, ...kept].slice(1), finished: false,',
  },
  {
    name: 'several records of one id are taken for one',
    file: 'src/read/full-listing.ts',
    from: 'if (!seen.hasAny(withId)) return { rows };',
    to: 'return { rows };',
  },
  {
    name: 'a record takes the place of an older one with its id',
    file: 'src/sync/moved.ts',
    from: 'if (former.length === 0)',
    to: 'if (former.length >= 0)',
  },
  {
    name: 'the number 1 is taken for the text',
    file: 'src/datasets/keys.ts',
    from: 'return `number:${JSON.stringify(value)}`;',
    to: 'return JSON.stringify(value);',
  },
  {
    name: 'the watermark is taken from the table',
    file: 'src/read/session.ts',
    from: 'return readPosition(warehouse.db, stream);',
    to: `const stored = readPosition(warehouse.db, stream);
  const { table, timeColumn } = stream.dataset;
  if (timeColumn === undefined) return stored;
  const newest = warehouse.db.prepare(\`SELECT max("\${timeColumn}") FROM "\${table}"\`).pluck().get();
  return { ...stored, watermark: typeof newest === 'string' ? Date.parse(newest) : stored.watermark };`,
  },
  {
    name: 'exact repeats are not counted',
    file: 'src/read/ordinals.ts',
    from: 'return ordinal === 1 ? row : { ...row, key: withOrdinal(row.key, ordinal) };',
    to: 'return ordinal >= 1 ? row : { ...row, key: withOrdinal(row.key, ordinal) };',
  },
  {
    name: 'a repeat counts once one reading has shown it',
    file: 'src/sync/repeats.ts',
    from: 'return rows === 0 ? [] : [repeatedDoubt(rows)];',
    to: 'return [];',
  },
  {
    name: 'a crowd at one instant is read in one pass',
    file: 'src/read/same-timestamp.ts',
    from: 'if (isTwice || (pass.isEndSeen && (pass.isOneAnswer || isAlone))) return',
    to: 'if (passes.length > 0 || isTwice || isAlone) return',
  },
  {
    name: 'retries cost no token',
    file: 'src/budget/entries.ts',
    from: 'end(...times(clock), id);',
    to: 'end(...times(clock), id); remove(id);',
  },
  {
    name: 'history is not kept',
    file: 'src/warehouse/history.ts',
    from: 'BEFORE DELETE ON',
    to: 'BEFORE UPDATE ON',
  },
];

const ROOT = join(import.meta.dirname, '..', '..');

/** The source of a mutant's file, with the safeguard broken. @throws Error when its place is not there any more. */
export function mutated({ name, file, from, to }: Mutant): string {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (!source.includes(from)) throw new Error(`the place of "${name}" is not in ${file} any more`);
  return source.replace(from, () => to);
}

/** A seed takes seconds: one that takes longer than this asks for ever. */
const SEED_MS = 10 * 60_000;

/** The first seed under which the mutant shows, and how. */
function firstKiller(copy: string, seeds: number): { seed: number; how: string } | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const ran = spawnSync(
      process.execPath,
      [join(copy, 'test/simulation/run.ts'), '--seeds', '1', '--from', String(seed)],
      { encoding: 'utf8', timeout: SEED_MS },
    );
    if (ran.status === 0) continue;
    if (ran.error !== undefined) return { seed, how: `it took longer than ${SEED_MS / 60_000} minutes` };
    const violation = /✗ seed \d+: ([^(\n]*)/.exec(ran.stdout)?.[1];
    return { seed, how: violation?.trim().slice(0, 100) ?? 'an error' };
  }
  return undefined;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '60' },
      only: { type: 'string' },
      from: { type: 'string', default: '1' },
    },
  });
  let survivors = 0;
  for (const mutant of MUTANTS.slice(Number(values.from) - 1).filter(
    ({ name }) => values.only === undefined || name.includes(values.only),
  )) {
    const copy = mkdtempSync(join(tmpdir(), 'hsw-mutant-'));
    for (const part of ['src', 'test', 'migrations', 'package.json', 'tsconfig.json'])
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    writeFileSync(join(copy, mutant.file), mutated(mutant));
    const killer = firstKiller(copy, Number(values.seeds));
    if (killer === undefined) survivors++;
    console.log(
      `${killer === undefined ? '✗ survived' : `✓ killed by seed ${killer.seed}`}: ${mutant.name}${killer === undefined ? '' : ` (${killer.how})`}`,
    );
    rmSync(copy, { recursive: true, force: true });
  }
  console.log(`${MUTANTS.length} mutants, ${survivors} survived`);
  process.exitCode = survivors === 0 ? 0 : 1;
}
