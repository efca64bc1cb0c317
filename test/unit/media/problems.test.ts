import { describe, expect, it } from 'vitest';
import { explained } from '../../../src/media/fetch.ts';
import { Erased, MediaFailure, problemOf } from '../../../src/media/problems.ts';
import { WarehouseError, type ErrorCode } from '../../../src/shared/errors.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('what ends a download', () => {
  it.each([
    ['a full disk', failure('ENOSPC'), 'WAREHOUSE_FULL'],
    ['a used up quota', failure('EDQUOT'), 'WAREHOUSE_FULL'],
    ['a folder that may not be written', failure('EACCES'), 'WAREHOUSE_UNWRITABLE'],
    ['a link in the place of the file', failure('ELOOP'), 'WAREHOUSE_UNWRITABLE'],
  ])('%s stops all downloads', (_what, error, code) => {
    expect(explained(error, undefined, '/m/x')).toMatchObject({ code });
  });

  it.each([
    ['a server that sends nothing for long', failure('UND_ERR_BODY_TIMEOUT'), 'slow'],
    ['a try that took too long', new DOMException('', 'TimeoutError'), 'slow'],
    ['a connection that was reset', failure('ECONNRESET'), 'broken'],
    ['a text that was thrown', 'text', 'broken'],
  ])('%s is a failure of this file alone', (_what, error, problem) => {
    const said = explained(error, undefined, '/m/x');
    expect(said).toBeInstanceOf(MediaFailure);
    expect(said).toMatchObject({ problem });
  });

  it.each<[string, Error]>([
    ['a failure that is explained already', new MediaFailure('missing')],
    ['an erasure of the person', new Erased()],
    ['an error of the warehouse itself', failure('SQLITE_FULL')],
    ['an error that says what to do', new WarehouseError('KEY_REFUSED', 'refused')],
  ])('%s stays what it is', (_what, error) => {
    expect(explained(error, undefined, '/m/x')).toBe(error);
  });

  it('a person’s interruption is one, whatever it broke off', () => {
    expect(explained(failure('ECONNRESET'), AbortSignal.abort(), '/m/x')).toMatchObject({ code: 'INTERRUPTED' });
  });
});

it.each<[ErrorCode, string | undefined]>([
  ['NOT_FOUND', 'missing'],
  ['SCOPE_MISSING', 'refused'],
  ['PARAMETER_REFUSED', 'no-address'],
  ['SERVER_FAILED', 'failed'],
  ['KEY_REFUSED', undefined],
  ['RATE_LIMITED', undefined],
])('the API’s answer %s to the question for an address means for the file: %s', (code, problem) => {
  expect(problemOf(new WarehouseError(code, 'x'))).toBe(problem);
});
