import { describe, expect, it } from 'vitest';
import {
  CODES,
  EXIT,
  isErrorCode,
  isLocal,
  isOutage,
  passesByItself,
  stopsEverything,
  WarehouseError,
  whoActs,
  type ErrorCode,
} from '../../../src/shared/errors.ts';

describe('a code', () => {
  it.each<[ErrorCode, number, boolean, string]>([
    ['CONFIG_INVALID', EXIT.usage, false, 'user'],
    ['KEY_REFUSED', EXIT.keyRefused, false, 'account'],
    ['SERVER_UNREACHABLE', EXIT.partial, true, 'host'],
    ['WAREHOUSE_FULL', EXIT.unwritable, false, 'host'],
    ['WAREHOUSE_BUSY', EXIT.busy, true, 'user'],
    ['NOT_FOUND', EXIT.partial, false, 'owner'],
  ])('%s says its exit status, whether it passes by itself, and who has to act', (code, exit, passes, acts) => {
    const error = new WarehouseError(code, 'It failed.');
    expect([error.exitStatus, error.passes, whoActs(code)]).toEqual([exit, passes, acts]);
  });

  it('says whether anything else can be read', () => {
    expect(
      ['KEY_REFUSED', 'WAREHOUSE_FULL', 'INTERRUPTED'].map((code) => isErrorCode(code) && stopsEverything(code)),
    ).toEqual([true, true, true]);
    expect([stopsEverything('SERVER_UNREACHABLE'), isOutage('SERVER_UNREACHABLE')]).toEqual([false, true]);
    expect([stopsEverything('SERVER_FAILED'), isOutage('SERVER_FAILED')]).toEqual([false, false]);
    // A mistake in what one person asks for keeps nothing else from being read.
    expect(isOutage('USAGE')).toBe(false);
  });

  it('says whether the local file failed, which says nothing of the API', () => {
    expect(Object.keys(CODES).filter((code) => isErrorCode(code) && isLocal(code))).toEqual([
      'PRIVACY_CHANGED',
      'PUBLISH_FAILED',
      'WAREHOUSE_MISSING',
      'WAREHOUSE_OLDER',
      'WAREHOUSE_NEWER',
      'WAREHOUSE_FILESYSTEM',
      'PLACE_UNSAFE',
      'WAREHOUSE_BUSY',
      'WAREHOUSE_FULL',
      'WAREHOUSE_UNWRITABLE',
      'WAREHOUSE_CORRUPT',
    ]);
  });

  it('that is only reported is no code of an error', () => {
    expect(['KEY_REFUSED', 'EXPERIMENT_GONE', 'toString', ''].map(isErrorCode)).toEqual([true, false, false, false]);
    expect(passesByItself('LIST_INCOMPLETE')).toBe(true);
  });

  it('yields to what is known of the one failure', () => {
    expect(new WarehouseError('SERVER_UNREACHABLE', 'Its certificate has expired.', { passes: false }).passes).toBe(
      false,
    );
  });
});
