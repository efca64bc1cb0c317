import { describe, expect, it } from 'vitest';
import { addressProblem } from '../../../src/config/fields.ts';
import { isLoopback } from '../../../src/shared/loopback.ts';

const HERE = [
  'localhost',
  'LocalHost',
  '127.0.0.1',
  '127.0.0.53',
  '127.255.255.255',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '[::ffff:7f00:1]',
];

const ELSEWHERE = [
  '',
  '0.0.0.0',
  '::',
  '[::]',
  '128.0.0.1',
  '126.255.255.255',
  '10.0.0.1',
  '::2',
  '::ffff:10.0.0.1',
  '::ffff:0.0.0.0',
  'fe80::1',
  'localhost.',
  'localhost.evil.example',
  'evil.localhost',
  'localhost:80',
  'localhost/',
  '127.0.0.1.evil.example',
  '127.0.0.1:80',
  '127.0.0.1@evil.example',
  // What a resolver makes of these is not known here.
  '127.1',
  '127.0.0.256',
  '127.0.0.01',
  '0x7f000001',
  '2130706433',
];

describe('a host', () => {
  it.each(HERE)('%s is on this computer', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(ELSEWHERE)('"%s" is not known to be on this computer', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('a key by plain http', () => {
  it.each([
    'localhost',
    'LOCALHOST:8080',
    '127.0.0.1',
    '127.1:3000',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.1.',
    '[::1]:3000',
    '[::ffff:127.0.0.1]',
  ])('may go to %s', (host) => {
    expect(addressProblem(new URL(`http://${host}/api`))).toBeUndefined();
  });

  it.each([
    '0.0.0.0',
    '[::]',
    'localhost.',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    '128.0.0.1',
    '[::ffff:10.0.0.1]',
    'api.hyperstudy.io',
  ])('may not go to %s', (host) => {
    expect(addressProblem(new URL(`http://${host}/api`))).toMatch(/^must start with https/);
    expect(addressProblem(new URL(`https://${host}/api`))).toBeUndefined();
  });
});
