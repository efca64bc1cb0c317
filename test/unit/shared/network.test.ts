import { describe, expect, it } from 'vitest';
import { networkFailure } from '../../../src/shared/network.ts';

const coded = (code: string, more: object = {}) => Object.assign(new Error('at 10.1.2.3:443'), { code, ...more });

describe('a failure on the way to a server', () => {
  it.each([
    ['ECONNREFUSED', 'nothing listens at that address', true],
    ['ENOTFOUND', 'its name cannot be found', true],
    ['EDNS', 'its name cannot be found', true],
    ['CERT_HAS_EXPIRED', 'its certificate has expired', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted by this computer', false],
    ['UND_ERR_HEADERS_TIMEOUT', 'it did not answer in time', true],
    ['EABORT', 'it did not answer in time', true],
    ['ECONNRESET', 'the connection broke off', true],
    ['EWHATEVER', 'the connection failed (EWHATEVER)', true],
  ])('is recognised by its code %s', (code, reason, passes) => {
    expect(networkFailure(coded(code))).toMatchObject({ reason, passes });
  });

  it('is recognised by the cause that lies deepest, also of several addresses', () => {
    const cause = new AggregateError([coded('EWHATEVER'), coded('ECONNREFUSED')]);
    expect(networkFailure(new TypeError('fetch failed', { cause })).cause).toBe('closed');
  });

  it('is recognised by the code that nodemailer replaced with its own', () => {
    const error = coded('ESOCKET', { originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(networkFailure(error).cause).toBe('untrusted');
  });

  it('of a proxy is recognised by the status that undici has no code for', () => {
    expect(networkFailure(new Error('Proxy response (407) !== 200'))).toMatchObject({ cause: 'proxy-login' });
    expect(networkFailure(new Error('Proxy response (403) !== 200')).reason).toBe(
      'the proxy refuses the connection (HTTP 403)',
    );
  });

  it('never repeats the text of an error, which may hold an address', () => {
    expect(JSON.stringify(networkFailure(coded('EWHATEVER')))).not.toContain('10.1.2.3');
    expect(networkFailure('thrown text').reason).toBe('the connection failed');
  });
});
