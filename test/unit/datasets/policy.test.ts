import { describe, expect, it } from 'vitest';
import { policyOf } from '../../../src/datasets/policy.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Json } from '../../../src/shared/json.ts';
import { pseudonymBy } from '../../../src/shared/pseudonym.ts';

const key = 'k'.repeat(43);
const pseudonym = pseudonymBy(key);
const dropping = (...drop: string[]) => policyOf({ drop, pseudonymise: [] });
const naming = (...pseudonymise: string[]) => policyOf({ drop: [], pseudonymise, key });
const under = (policy: ReturnType<typeof policyOf>, data: string, value: Json) =>
  policy?.record(datasetNamed(data), value);

const EMAIL = 'ana.kowalska@example.org';

describe('a field that is never stored', () => {
  const email = dropping('participants.email');

  it.each<[string, Json, Json]>([
    ['as it is declared', { id: 'p', email: EMAIL, role: 'a' }, { id: 'p', role: 'a' }],
    ['as an object', { id: 'p', email: { address: EMAIL, verified: true } }, { id: 'p' }],
    ['as a list', { id: 'p', email: [EMAIL, 'other@example.org'] }, { id: 'p' }],
    ['as a number', { id: 'p', email: 5 }, { id: 'p' }],
    ['as null', { id: 'p', email: null }, { id: 'p' }],
    [
      'inside of an object',
      { id: 'p', diagnostics: { user: { email: EMAIL } } },
      { id: 'p', diagnostics: { user: {} } },
    ],
    ['by another name', { id: 'p', email: EMAIL, login: EMAIL }, { id: 'p', login: '[left out]' }],
    ['in other letters', { id: 'p', email: EMAIL, login: EMAIL.toUpperCase() }, { id: 'p', login: '[left out]' }],
    [
      'inside of a text',
      { id: 'p', email: EMAIL, note: `write to <${EMAIL}>, please` },
      { id: 'p', note: 'write to <[left out]>, please' },
    ],
    [
      'in an address',
      { id: 'p', email: EMAIL, diagnostics: { page: `https://x.org/?mail=${encodeURIComponent(EMAIL)}&a=1` } },
      { id: 'p', diagnostics: { page: 'https://x.org/?mail=[left out]&a=1' } },
    ],
    ['as the name of a member', { id: 'p', email: EMAIL, by: { [EMAIL]: 1 } }, { id: 'p', by: { '[left out]': 1 } }],
    ['in a list of records', [{ id: 'p', email: EMAIL }], [{ id: 'p' }]],
    ['as text in place of a record', `{"email":"${EMAIL}"}`, '[left out by the privacy policy: no record]'],
  ])('is left out %s', (_how, record, expected) => {
    expect(under(email, 'participants', record)).toEqual(expected);
  });

  it('is left out of other data types by its name, where none of theirs is called so', () => {
    const room = { id: 'r', participants: [{ id: 'p', email: EMAIL }], email: EMAIL };
    expect(under(email, 'rooms', room)).toEqual({ id: 'r', participants: [{ id: 'p' }] });
    expect(under(dropping('events.content'), 'chat', { content: 'x' })).toEqual({ content: 'x' });
  });

  it('is left out of what is too deep to be looked through', () => {
    let deep: Json = { email: EMAIL };
    for (let level = 0; level < 20_000; level++) deep = { in: deep };
    expect(JSON.stringify(under(email, 'participants', { id: 'p', deep }))).not.toContain(EMAIL);
  });

  it('takes nothing else with it, and no id, even one that is the same text', () => {
    const record = { id: 'ana kowalska', email: 'ana kowalska', roomId: 'r', role: 'ana kowalska', completionCode: 5 };
    expect(under(email, 'participants', record)).toEqual({
      id: 'ana kowalska',
      roomId: 'r',
      role: 'ana kowalska',
      completionCode: 5,
    });
    const other = { id: 'p', role: 'x', unknown: [1, { a: null }] };
    expect(under(email, 'participants', other)).toBe(other);
  });

  it('may be a member of an object, and a field that no data type declares', () => {
    const policy = dropping('events.response.name', 'participants.extra.dateOfBirth');
    expect(under(policy, 'events', { id: 'a', response: { name: 'Ana', value: 1 } })).toEqual({
      id: 'a',
      response: { value: 1 },
    });
    expect(under(policy, 'events', { id: 'a', response: [{ name: 'Ana' }, 2] })).toEqual({
      id: 'a',
      response: [{}, 2],
    });
    expect(under(policy, 'participants', { id: 'p', dateOfBirth: '2001-02-03' })).toEqual({ id: 'p' });
  });

  it('is not in what answers say besides their records', () => {
    const metadata = { timeline: [{ onset: 1, mood: 'sad' }], variableNames: ['mood'], mode: 'writes' };
    const policy = dropping('variables.value');
    expect(policy?.metadata(datasetNamed('variables'), metadata)).toEqual({ variableNames: ['mood'], mode: 'writes' });
    expect(email?.metadata(datasetNamed('variables'), metadata)).toEqual(metadata);
  });
});

describe('a pseudonym', () => {
  const names = naming('chat.senderName', 'recordings.participantName', 'participants.email');

  it('is the same for the same value in every data type, and another one with another key', () => {
    const [said, recorded] = [
      under(names, 'chat', { messageId: 'm', senderName: 'Ana' }),
      under(names, 'recordings', { recordingId: 'v', participantName: 'Ana' }),
    ];
    expect(said).toEqual({ messageId: 'm', senderName: pseudonym('Ana') });
    expect(recorded).toEqual({ recordingId: 'v', participantName: pseudonym('Ana') });
    expect(pseudonym('Ana')).toMatch(/^ps_[\w-]{22}$/);
    expect(new Set(['Ana', 'ana', 'Ana ', 'An', '7'].map(pseudonym)).size).toBe(5);
    expect(pseudonymBy('another key')('Ana')).not.toBe(pseudonym('Ana'));
  });

  it('is no value where there is none', () => {
    const record = { messageId: 'm', senderName: null };
    expect(under(names, 'chat', record)).toBe(record);
    expect(under(names, 'chat', { messageId: 'm', senderName: '' })).toEqual({ messageId: 'm', senderName: '' });
  });

  it('stands in for values of other types, and for copies in the record', () => {
    expect(under(names, 'chat', { messageId: 'm', senderName: 7 })).toEqual({
      messageId: 'm',
      senderName: pseudonym('7'),
    });
    expect(
      under(names, 'participants', { id: 'p', email: EMAIL, login: EMAIL, diagnostics: { mail: ` ${EMAIL}` } }),
    ).toEqual({
      id: 'p',
      email: pseudonym(EMAIL),
      login: pseudonym(EMAIL),
      diagnostics: { mail: pseudonym(EMAIL) },
    });
  });

  it('is made again of what a participant calls themselves, but not of what was stored', () => {
    const record = { messageId: 'm', senderName: pseudonym('Ana') };
    expect(under(names, 'chat', record)).toEqual({ messageId: 'm', senderName: pseudonym(pseudonym('Ana')) });
    const list = { messageId: 'm', senderName: [pseudonym('Ana')], recipientIds: ['a'] };
    const again = policyOf({ drop: [], pseudonymise: ['chat.senderName'], key }, true);
    expect(under(again, 'chat', record)).toBe(record);
    expect(under(again, 'chat', list)).toBe(list);
  });
});
