import type { Issue } from '../../../src/status/issue.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decide,
  formatStates,
  NOTHING_SENT,
  parseStates,
  delivered,
  type AlertState,
  type Message,
} from '../../../src/alerts/incidents.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR, DAY_MS as DAY } from '../../../src/shared/time.ts';

const AFTER = 2 * HOUR;
const GRACE = 5 * MINUTE;
const START = Date.parse('2026-01-12T09:00:00.000Z');

/** Something that is wrong; what has one `cause` makes one issue. */
interface Given {
  readonly id: string;
  readonly cause: string;
  readonly text: string;
  readonly subject: string;
  readonly ended: string;
  readonly urgent: boolean;
  readonly name: string | undefined;
  readonly since: number | undefined;
  readonly quiet: boolean;
}

function wrong(id: string, change: Partial<Given> = {}): Given {
  return {
    id,
    cause: id,
    subject: `${id} is wrong`,
    text: `What is wrong with ${id}.`,
    ended: `${id} is fine again`,
    urgent: false,
    name: undefined,
    since: undefined,
    quiet: false,
    ...change,
  };
}

function issuesOf(given: readonly Given[]): Issue[] {
  return [...Map.groupBy(given, ({ cause }) => cause)].map(([cause, all]) => {
    const [{ subject, text, ended, urgent } = wrong(cause)] = all;
    const streams = all.map(({ id, name = id, since, quiet }) => ({
      id,
      name,
      since,
      suppressed: suppressionOf(quiet),
    }));
    const [only] = streams;
    const isWhole = only?.id === cause && streams.length === 1 && all[0]?.name === undefined;
    return {
      id: cause,
      code: 'READ_FAILED',
      severity: 'error',
      since: only?.since,
      scope: isWhole ? {} : { experiment: 'exp_1', streams },
      subject,
      text,
      hint: `Look at ${cause}.`,
      ended,
      alert: urgent ? 'at once' : 'when it lasts',
      suppressed: isWhole ? only.suppressed : undefined,
    };
  });
}

function suppressionOf(isQuiet: boolean) {
  return isQuiet ? ('unknown' as const) : undefined;
}

/** One channel over time: each check's messages are delivered unless told otherwise. */
function channel() {
  let state: AlertState = NOTHING_SENT;
  return (now: number, given: readonly Given[], isDelivered = true): readonly Message[] => {
    const decided = decide(issuesOf(given), state, now, AFTER);
    state = decided.state;
    if (isDelivered) for (const message of decided.messages) state = delivered(state, message);
    // Between two checks the service may be restarted.
    state = parseStates(formatStates(new Map([['webhook', state]]))).get('webhook') ?? NOTHING_SENT;
    return decided.messages;
  };
}

const brief = (messages: readonly Message[]) => messages.map(({ state, subject }) => `${state}: ${subject}`);

describe('an alert', () => {
  it('is one message when something has lasted long enough, and one when it is over', () => {
    const check = channel();
    const it = [wrong('chat')];
    expect(check(START, it)).toEqual([]);
    expect(check(START + AFTER - 1, it)).toEqual([]);
    const [problem, ...others] = check(START + AFTER, it);
    expect(others).toEqual([]);
    expect(problem).toEqual({
      alert: 'chat',
      state: 'problem',
      kind: 'stream',
      subject: 'chat is wrong',
      text: 'What is wrong with chat.\n\nThis began at 2026-01-12 09:00 UTC, 2 h ago.',
      hint: 'Look at chat.',
      at: START + AFTER,
    });
    expect(check(START + 3 * HOUR, it)).toEqual([]);
    expect(check(START + 3 * HOUR + MINUTE, [])).toEqual([]);
    const over = check(START + 3 * HOUR + MINUTE + GRACE, []);
    expect(brief(over)).toEqual(['recovered: chat is fine again, after 3 h 1 min']);
    expect(over[0]?.text).toContain('ended at 2026-01-12 12:01 UTC');
    expect(check(START + 5 * HOUR, [])).toEqual([]);
  });

  it('is sent at once when it is urgent, and counts from its own beginning when that is known', () => {
    const urgent = channel()(START, [wrong('key', { urgent: true })]);
    expect(brief(urgent)).toEqual(['problem: key is wrong']);
    expect(urgent[0]?.text).toContain('This began at 2026-01-12 09:00 UTC, just now.');
    const check = channel();
    expect(check(START, [wrong('chat', { since: START - AFTER + MINUTE })])).toEqual([]);
    // A beginning that moves, as that of an incomplete stream does, makes nothing younger.
    expect(brief(check(START + MINUTE, [wrong('chat', { since: START })]))).toEqual(['problem: chat is wrong']);
  });

  it('is not sent at all when it ends in time', () => {
    const check = channel();
    check(START, [wrong('chat')]);
    expect(check(START + HOUR, [])).toEqual([]);
    expect(check(START + AFTER, [wrong('chat')])).toEqual([]);
    expect(check(START + AFTER + HOUR, [])).toEqual([]);
  });

  it('is one and the same when it ends and returns within minutes', () => {
    const check = channel();
    const key = [wrong('key', { urgent: true })];
    expect(check(START, key)).toHaveLength(1);
    for (let minute = 1; minute < 60; minute++)
      expect(check(START + minute * MINUTE, minute % 4 === 0 ? key : []), `minute ${minute}`).toEqual([]);
    expect(brief(check(START + 62 * MINUTE, []))).toEqual(['recovered: key is fine again, after 57 min']);
  });

  it('is repeated once a day', () => {
    const check = channel();
    const key = [wrong('key', { urgent: true })];
    check(START, key);
    expect(check(START + DAY - 1, key)).toEqual([]);
    expect(brief(check(START + DAY, key))).toEqual(['reminder: Still: key is wrong']);
    expect(check(START + DAY + HOUR, key)).toEqual([]);
    expect(check(START + 2 * DAY, key)).toHaveLength(1);
  });

  it('lists all streams of a group in one message, also those that failed a little later, and one recovery', () => {
    const check = channel();
    const stream = (n: number) =>
      wrong(`s${n}`, {
        cause: 'exp_1',
        subject: 'exp_1',
        text: 'Down.',
        ended: 'exp_1 is fine',
        name: `part ${n}`,
      });
    const all = Array.from({ length: 25 }, (_, n) => stream(n));
    check(START, all.slice(0, 3));
    check(START + MINUTE, all);
    const [problem, ...others] = check(START + AFTER, all);
    expect(others).toEqual([]);
    expect(problem?.text).toMatch(/^Down\.\nAffected: part 0; part 1; .*; part 19; and 5 more\.\n\nThis began/);
    expect(check(START + AFTER + HOUR, all)).toEqual([]);
    // One after the other is fine again: that is told once, when the last is.
    expect(check(START + AFTER + 2 * HOUR, all.slice(20))).toEqual([]);
    expect(check(START + AFTER + 3 * HOUR, [])).toEqual([]);
    expect(brief(check(START + AFTER + 4 * HOUR, []))).toEqual(['recovered: exp_1 is fine, after 5 h']);
  });

  it('stays the same alert when the reason of a reported stream changes', () => {
    const check = channel();
    expect(check(START, [wrong('chat', { cause: 'unreachable', since: START - DAY })])).toHaveLength(1);
    expect(check(START + HOUR, [wrong('chat', { cause: 'failed', since: START - DAY })])).toEqual([]);
    const reminder = check(START + DAY, [wrong('chat', { cause: 'failed', text: 'Failed.' })]);
    expect(reminder[0]?.text).toContain('Failed.');
  });

  it('neither begins nor ends with what is quiet', () => {
    const check = channel();
    const loud = wrong('chat', { since: START - DAY });
    const quiet = { ...loud, quiet: true };
    expect(check(START, [quiet])).toEqual([]);
    expect(check(START + AFTER, [quiet])).toEqual([]);
    expect(check(START + AFTER + MINUTE, [loud])).toHaveLength(1);
    expect(check(START + 3 * DAY, [quiet])).toEqual([]);
    expect(check(START + 3 * DAY + HOUR, [])).toEqual([]);
    expect(brief(check(START + 4 * DAY, []))[0]).toMatch(/^recovered/);
  });

  it('is sent again until it is delivered, and ends without a message when it was never delivered', () => {
    const check = channel();
    const key = [wrong('key', { urgent: true })];
    expect(check(START, key, false)).toHaveLength(1);
    expect(brief(check(START + MINUTE, key, true))).toEqual(['problem: key is wrong']);
    expect(check(START + 2 * MINUTE, [])).toEqual([]);
    expect(brief(check(START + HOUR, [], false))[0]).toMatch(/^recovered/);
    expect(brief(check(START + 2 * HOUR, [], true))[0]).toMatch(/^recovered/);
    expect(check(START + 3 * HOUR, [])).toEqual([]);

    const deaf = channel();
    expect(deaf(START, key, false)).toHaveLength(1);
    deaf(START + MINUTE, [], false);
    expect(deaf(START + HOUR, [])).toEqual([]);
  });

  it('does not wait for a time that a wrong clock once showed', () => {
    const check = channel();
    const key = [wrong('key', { urgent: true })];
    check(START + 1000 * DAY, key);
    expect(check(START, key)).toEqual([]);
    expect(check(START + DAY, key)).toHaveLength(1);
    check(START + DAY + MINUTE, []);
    expect(brief(check(START + DAY + HOUR, []))[0]).toMatch(/^recovered/);
  });

  it('continues from the state that an earlier version stored, whatever it called the kind', () => {
    const id = 'deletes:exp_1/recordings/experiment';
    const member = { id, group: 'deletes:exp_1', since: START, alert: 'deletes:exp_1' };
    const alert = {
      key: 'deletes:exp_1',
      kind: 'deletes-braked',
      subject: 'Rows are gone',
      ended: 'None',
      since: START,
    };
    const stored = { members: [member], alerts: [{ ...alert, toldAt: START }] };
    const text = JSON.stringify({ channels: [{ channel: 'webhook', state: stored }] });
    const state = parseStates(text).get('webhook') ?? NOTHING_SENT;
    const given = issuesOf([wrong(id, { cause: 'deletes:exp_1', name: 'recordings' })]);
    expect(decide(given, state, START + HOUR, AFTER).messages).toEqual([]);
    expect(decide(given, state, START + DAY, AFTER).messages).toMatchObject([
      { state: 'reminder', kind: 'deletes-withheld', alert: 'deletes:exp_1' },
    ]);
  });

  it.each(['', '{', 'null', '[]', '{"channels":[{"channel":"webhook","state":{"members":[{"id":1}],"alerts":[]}}]}'])(
    'starts over with the broken state %j',
    (text) => {
      expect(parseStates(text)).toEqual(new Map());
    },
  );
});

describe('over any sequence of issues, restarts and failed deliveries', () => {
  const ids = ['a1', 'a2', 'b1', 'b2', 'u1'];
  const step = fc.record({
    waitMs: fc.oneof(
      fc.integer({ min: 1, max: 10 }).map((n) => n * MINUTE),
      fc.integer({ min: 1, max: 40 }).map((n) => n * HOUR),
    ),
    present: fc.subarray(ids),
    quiet: fc.subarray(ids, { maxLength: 2 }),
    isDelivered: fc.boolean(),
  });
  const make = (id: string, isQuiet: boolean) =>
    wrong(id, {
      cause: id.startsWith('u') ? id : id.charAt(0),
      urgent: id.startsWith('u'),
      name: id,
      quiet: isQuiet,
    });
  const listed = ({ text }: Message) => /Affected: (.*)\.$/m.exec(text)?.[1]?.split('; ') ?? [];

  it('tells an onset once, its end once, and reminds at most daily', () => {
    let problems = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const check = channel();
        /** By the rules alone: since when each of them has lasted, and when it was last seen. */
        const onsets = new Map<string, { since: number; goneAt: number | undefined; told: number }>();
        /** By key: the open alerts that were delivered, and when they were last told. */
        const open = new Map<string, { at: number; told: string[] }>();
        /** Alerts whose first message is not delivered yet. */
        const pending = new Set<string>();
        const everQuiet = new Set<string>();
        let now = START;
        const run = (present: readonly string[], quiet: readonly string[], isDelivered: boolean) => {
          for (const id of ids) {
            const onset = onsets.get(id);
            if (onset?.goneAt !== undefined && now - onset.goneAt >= GRACE) onsets.delete(id);
            if (present.includes(id)) onsets.set(id, { since: now, told: 0, ...onsets.get(id), goneAt: undefined });
            else if (onset !== undefined) onset.goneAt ??= now;
          }
          const messages = check(
            now,
            present.map((id) => make(id, quiet.includes(id))),
            isDelivered,
          );
          expect(new Set(messages.map(({ alert }) => alert)).size).toBe(messages.length);
          for (const message of messages) {
            const alert = open.get(message.alert);
            for (const id of listed(message)) expect(present).toContain(id);
            if (message.state === 'problem') {
              expect(alert).toBeUndefined();
              const lasting = listed(message).some(
                (id) => id.startsWith('u') || now - (onsets.get(id)?.since ?? now) >= AFTER,
              );
              // A message that could not be delivered before may go on for those that joined it meanwhile.
              if (isDelivered && !pending.has(message.alert)) expect(lasting).toBe(true);
              if (!isDelivered) pending.add(message.alert);
            }
            if (message.state === 'reminder') expect(now - (alert?.at ?? now)).toBeGreaterThanOrEqual(DAY);
            if (message.state === 'recovered') {
              expect(alert).toBeDefined();
              expect(alert?.told.filter((id) => onsets.has(id) && onsets.get(id)?.told === 1)).toEqual([]);
            }
            if (!isDelivered) continue;
            pending.delete(message.alert);
            if (message.state === 'recovered') open.delete(message.alert);
            else open.set(message.alert, { at: now, told: [...(alert?.told ?? []), ...listed(message)] });
            if (message.state === 'problem') {
              problems++;
              for (const id of listed(message)) {
                const onset = onsets.get(id);
                expect(onset?.told, `a second message for one onset of ${id}`).toBe(0);
                if (onset !== undefined) onset.told++;
              }
            }
          }
          // Nothing that lasts goes untold.
          if (isDelivered)
            for (const id of present.filter((each) => !quiet.includes(each))) {
              const { since } = onsets.get(id) ?? { since: now };
              if (id.startsWith('u') || (now - since >= AFTER && !everQuiet.has(id)))
                expect(open.has(id.startsWith('u') ? id : id.charAt(0)), id).toBe(true);
            }
          for (const id of quiet) everQuiet.add(id);
        };
        for (const { waitMs, present, quiet, isDelivered } of steps) {
          now += waitMs;
          run(present, quiet, isDelivered);
        }
        // When all is well for good, everything that was told is told to be over, and then there is silence.
        for (const waitMs of [MINUTE, GRACE, HOUR]) {
          now += waitMs;
          run([], [], true);
        }
        expect([...open.keys()]).toEqual([]);
        expect(check(now + DAY, [])).toEqual([]);
      }),
      { numRuns: 1000 },
    );
    expect(problems).toBeGreaterThan(500);
  });
});
