import { describe, expect, it } from 'vitest';
import { NOTHING_READ, type Reading } from '../../../src/read/session.ts';
import type { Account } from '../../../src/sync/account.ts';
import { conclude, isCountedAbove } from '../../../src/sync/conclude.ts';
import type { Deletion } from '../../../src/sync/deletions.ts';
import type { Doubt, DoubtKind } from '../../../src/warehouse/doubts.ts';
import type { PositionChange } from '../../../src/warehouse/positions.ts';
import { at, DAY, fakeStream } from '../../support/fake-stream.ts';

interface Case {
  readonly held?: number;
  readonly truth?: number | undefined;
  readonly isOff?: Account['isOff'];
  readonly account?: readonly Doubt[];
  readonly reading?: Partial<Reading>;
  readonly gone?: readonly string[];
  readonly deletion?: Deletion;
}

/** What is concluded of a stream with six rows, if a day later that was found. */
function concluding(position: PositionChange = {}, data = 'events') {
  const fake = fakeStream(data);
  fake.hold(fake.series(1, 6), { watermark: at(6), ...position });
  fake.now += DAY;
  const before = fake.position();
  const session = fake.session();
  return {
    fake,
    session,
    conclude: ({ held = 6, truth, isOff, account = [], reading = {}, gone = [], deletion }: Case) => {
      const proof = conclude(session, {
        before,
        reading: { ...NOTHING_READ, ...reading },
        account: { held, truth, total: truth, isOff, doubts: account },
        gone,
        deletion,
      });
      return {
        ...proof,
        found: proof.doubts.map(({ kind, count }) => (count === undefined ? kind : `${kind} ${count}`)),
      };
    },
  };
}
const doubt = (kind: DoubtKind): Doubt => ({ kind, text: `a doubt: ${kind}` });

describe('the count of a stream', () => {
  it.each<[string, Case, readonly string[]]>([
    ['speaks for it where as many are held as the API has', { truth: 6 }, []],
    ['says how many are lacking', { truth: 9 }, ['lacking 3']],
    ['says how many are held too many, if it is not known which', { truth: 4 }, ['surplus 2']],
    ['says that some are lacking, if not how many', { isOff: 'lacking' }, ['lacking']],
    ['says that too many are held, if not how many', { isOff: 'surplus' }, ['surplus']],
    ['contradicts rows that did not come, where it is as before', { truth: 6, gone: ['e3'] }, ['contradiction 1']],
    ['leaves rows that did not come in doubt where there is none', { gone: ['e3'] }, ['contradiction 1']],
    [
      'says nothing of rows that were settled as gone',
      { truth: 5, gone: ['e3'], deletion: { doubts: [], withheld: 0 } },
      [],
    ],
  ])('%s', (_what, found, expected) => {
    expect(concluding().conclude(found).found).toEqual(expected);
  });
});

describe('a doubt about an answer', () => {
  it.each<[DoubtKind, boolean]>([
    ['contradiction', true],
    ['endless', true],
    ['unproven', true],
    ['warned', false],
    ['cut', false],
    ['unstable', false],
  ])('“%s” is settled by the count of all records: %s', (kind, isSettled) => {
    const { found } = concluding().conclude({ truth: 6, reading: { doubts: [doubt(kind)] } });
    expect(found).toEqual(isSettled ? [] : [kind]);
  });

  it('stays where a reading of everything met fewer records than there are', () => {
    const reading = { doubts: [doubt('endless')], isWhole: true, met: 4 };
    expect(concluding().conclude({ truth: 6, reading }).found).toEqual(['endless']);
  });

  it.each<[DoubtKind, boolean]>([
    ['warned', true],
    ['lacking', false],
  ])('“%s” keeps the watermark where it was: %s', (kind, isHeld) => {
    const { position } = concluding().conclude({ truth: 6, reading: { doubts: [doubt(kind)], upTo: at(9) } });
    expect([position.watermark, position.dataAsOf === undefined]).toEqual([isHeld ? undefined : at(9), isHeld]);
  });
});

describe('what is known of a stream afterwards', () => {
  it('is that it was verified, if it was read whole and nothing is in doubt', () => {
    const { session, conclude: of } = concluding();
    const { startedAt } = session;
    expect(of({ truth: 6, reading: { isWhole: true, met: 6 } }).position).toMatchObject({
      lastStatus: 'ok',
      verifiedAt: startedAt,
      listedAt: startedAt,
    });
    expect(of({ truth: 7, reading: { isWhole: true, met: 6 } }).position.verifiedAt).toBeUndefined();
    expect(of({ truth: 6 }).position.verifiedAt).toBeUndefined();
  });

  it('has the newest time that was read, and never an earlier one', () => {
    const of = (upTo: number) => concluding().conclude({ truth: 6, reading: { upTo } }).position.watermark;
    expect([of(at(4)), of(at(9))]).toEqual([at(6), at(9)]);
  });

  it('brings back a watermark that is ahead of the server', () => {
    const { fake, conclude: of } = concluding({ watermark: at(60 * 24 * 365) });
    expect(of({ truth: 6, reading: { upTo: at(6) } }).position.watermark).toBe(at(6));
    expect(fake.position().watermark).toBeGreaterThan(fake.now);
  });

  it('has a date of balance only where every record is accounted for without a doubt', () => {
    const { conclude: of } = concluding();
    expect(of({ truth: 6 }).position.balancedAt).toBeGreaterThan(0);
    for (const found of [{ truth: 7 }, { truth: 6, reading: { doubts: [doubt('unproven')] } }, {}])
      expect(of(found).position.balancedAt).toBeUndefined();
  });

  it('keeps what was withheld until a reading has settled it', () => {
    const withheld: Doubt = { kind: 'withheld', text: '2 rows are withheld', count: 2 };
    const { conclude: of } = concluding({ doubts: [withheld], withheldRows: 2 });
    expect(of({ isOff: 'lacking' }).found).toContain('withheld 2');
    expect(of({ truth: 6 }).found).toEqual([]);
  });
});

describe('the count in the experiment’s own record', () => {
  it.each([
    [6, false],
    [7, true],
  ])('of %i participants is above the list of six: %s', (participantCount, isAbove) => {
    const { fake, session, conclude: of } = concluding({}, 'participants');
    fake.listRooms({}, { participantCount });
    expect(isCountedAbove(session, 6)).toBe(isAbove);
    expect(of({ truth: 6 }).found).toEqual(isAbove ? ['lacking 1'] : []);
  });
});
