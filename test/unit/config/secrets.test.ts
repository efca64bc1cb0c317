import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KEY, load, problem } from '../../support/config.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('the configuration', () => {
  it.each([
    ['2027-05-01', '2027-05-01T00:00:00.000Z'],
    ['"2027-05-01"', '2027-05-01T00:00:00.000Z'],
    ['2027-05-01T14:30+02:00', '2027-05-01T12:30:00.000Z'],
    ['2028-02-29 08:00', '2028-02-29T08:00:00.000Z'],
    ['never', undefined],
  ])('reads %s as the end of the key', (written, expected) => {
    const { keyExpiresAt } = load(`experiments: [{ all: true }]\napi: { keyExpires: ${written} }`).api;
    expect(keyExpiresAt).toBe(expected === undefined ? undefined : Date.parse(expected));
  });

  it.each(['2027-02-29', '2027-02-30T10:00Z', '2027-13-01', '01.05.2027', '"90 d"', '2027', '[2027-05-01]', ''])(
    'refuses %j as the end of the key, with its line',
    (written) => {
      expect(problem(`experiments: [{ all: true }]\napi:\n  keyExpires: ${written}\n`).message).toContain(
        'config.yaml:3: api.keyExpires: must be a date such as 2027-05-01, a time such as 2027-05-01T14:30Z, or never',
      );
    },
  );

  it('takes the token of the dashboard from a file, the environment or systemd', () => {
    const token = 'a-token-of-the-lab';
    const folder = temporaryFolder();
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const loadHttp = (http: string, env = {}) =>
      load(`experiments: [{ all: true }]\nhttp: ${http}`, { HYPERSTUDY_API_KEY: KEY, ...env }).http?.token;
    expect(loadHttp(`{ tokenFile: ${write('token', `${token}\n`)} }`)).toBe(token);
    expect(loadHttp('{ token: "${MINE}" }', { MINE: token })).toBe(token);
    write('hyperstudy-http-token', token);
    expect(loadHttp('{}', { CREDENTIALS_DIRECTORY: folder })).toBe(token);
    expect(loadHttp('{}')).toBeUndefined();
    expect(load('experiments: [{ all: true }]\nhttp: false').http).toBeUndefined();
    const refused = (http: string) => problem(`experiments: [{ all: true }]\nhttp:\n  ${http}`).message;
    const short = refused(`tokenFile: ${write('short', 'sEcReT')}`);
    expect(short).toContain('config.yaml:3: http.tokenFile: the token in the file must have at least 16 characters');
    expect(short).not.toContain('sEcReT');
    expect(refused('tokenFile: /nowhere')).toContain('config.yaml:3: http.tokenFile: the file cannot be read');
    expect(refused(`token: ${token}\n  tokenFile: x`)).toContain('http: must have either token or tokenFile');
  });

  it('lists the secrets that are in the file itself', () => {
    const inline = (yaml: string, env = {}) =>
      load(`experiments: [{ all: true }]\n${yaml}`, { HYPERSTUDY_API_KEY: KEY, ...env }, 0o600).inlineSecrets;
    expect(inline('')).toEqual([]);
    const [url, token] = ['https://hooks.example.org/x', 'a-token-of-the-lab'];
    expect(inline(`api: { key: ${KEY} }\nhttp: { token: ${token} }\nalerts: { webhook: { url: "${url}" } }`)).toEqual([
      'api.key',
      'http.token',
      'alerts.webhook.url',
    ]);
    const named = 'api: { key: "${K}" }\nhttp: { token: "${T}" }\nalerts: { webhook: { url: "${U}" } }';
    expect(inline(named, { K: KEY, T: token, U: url })).toEqual([]);
  });
});
