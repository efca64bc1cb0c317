import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alertSecrets } from '../../../src/config/alerts.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { DATA_TYPE_OPTIONS } from '../../../src/datasets/registry.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { temporaryFolder } from '../../support/lab.ts';

const ADDRESS = 'https://hooks.example.org/services/T0/B0/sEcReTsEcReT';
const EXPERIMENTS = 'experiments: [{ all: true }]\n';

function load(
  alerts: string,
  { env = {}, folder = temporaryFolder() }: { env?: Record<string, string>; folder?: string } = {},
) {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, `${EXPERIMENTS}${alerts}`);
  return loadConfig({ path, env, dataTypes: DATA_TYPE_OPTIONS, needsKey: false }).alerts;
}

function mistakes(alerts: string, options: Parameters<typeof load>[1] = {}): string {
  try {
    load(alerts, options);
  } catch (error) {
    if (error instanceof WarehouseError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** A folder with a file of that content and mode in it. */
function folderWith(name: string, content: string, mode = 0o600): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), content);
  chmodSync(join(folder, name), mode);
  return folder;
}

describe('alerts in the configuration', () => {
  it('are not sent unless a channel is named', () => {
    const unset = { afterMs: 7_200_000, diskFree: 0.05, webhook: undefined, smtp: undefined };
    expect(load('')).toEqual(unset);
    expect(load('alerts: { after: 30m, diskFree: 2.5% }')).toEqual({ ...unset, afterMs: 1_800_000, diskFree: 0.025 });
  });

  it("take a webhook's URL from the file, the environment or a secret file", () => {
    const expected = { url: ADDRESS, format: 'json' };
    expect(load(`alerts: { webhook: { url: "${ADDRESS}" } }`).webhook).toEqual(expected);
    expect(load('alerts: { webhook: { url: "${HOOK}", format: slack } }', { env: { HOOK: ADDRESS } }).webhook).toEqual({
      ...expected,
      format: 'slack',
    });
    const alerts = load('alerts: { webhook: { urlFile: hook } }', { folder: folderWith('hook', `${ADDRESS}\n`) });
    expect(alerts.webhook).toEqual(expected);
    expect(alertSecrets(alerts)).toEqual([ADDRESS]);
  });

  it('take a mail server with its password from a file, or without a login', () => {
    const server = 'host: smtp.example.org, from: "The lab <lab@example.org>", to: [me@example.org]';
    const folder = folderWith('password', ' hunter2hunter2\n');
    const alerts = load(`alerts: { smtp: { ${server}, user: lab, passwordFile: ./password } }`, { folder });
    expect(alerts.smtp).toEqual({
      host: 'smtp.example.org',
      port: 587,
      secure: false,
      login: { user: 'lab', password: 'hunter2hunter2' },
      from: 'The lab <lab@example.org>',
      to: ['me@example.org'],
    });
    expect(alertSecrets(alerts)).toEqual(['hunter2hunter2']);
    expect(load(`alerts: { smtp: { ${server} } }`).smtp?.login).toBeUndefined();
  });

  it('take their secrets from systemd if the file names none', () => {
    const CREDENTIALS_DIRECTORY = folderWith('hyperstudy-webhook', `${ADDRESS}\n`, 0o444);
    writeFileSync(join(CREDENTIALS_DIRECTORY, 'hyperstudy-smtp-password'), 'hunter2hunter2\n');
    const env = { CREDENTIALS_DIRECTORY };
    const server = 'host: smtp.example.org, from: lab@example.org, to: [me@example.org], user: lab';
    const alerts = load(`alerts: { webhook: { format: slack }, smtp: { ${server} } }`, { env });
    expect(alerts.webhook).toEqual({ url: ADDRESS, format: 'slack' });
    expect(alerts.smtp?.login).toEqual({ user: 'lab', password: 'hunter2hunter2' });
    const other = 'https://hooks.example.org/other';
    expect(load(`alerts: { webhook: { url: "${other}" } }`, { env }).webhook?.url).toBe(other);
    writeFileSync(join(CREDENTIALS_DIRECTORY, 'hyperstudy-webhook'), 'http://example.org/sEcReT');
    const wrong = mistakes('alerts:\n  webhook: {}', { env });
    expect(wrong).toContain(
      'config.yaml:3: alerts.webhook: what the credential hyperstudy-webhook holds must start with',
    );
    expect(wrong).not.toContain('sEcReT');
    writeFileSync(join(CREDENTIALS_DIRECTORY, 'hyperstudy-smtp-password'), '');
    expect(mistakes(`alerts:\n  smtp: { ${server} }`, { env })).toContain(
      'config.yaml:3: alerts.smtp.user: the credential hyperstudy-smtp-password is empty',
    );
  });

  it('are not an error for a command that sends none and cannot read their secrets', () => {
    const path = join(temporaryFolder(), 'config.yaml');
    const smtp = 'host: h, from: a@b.c, to: [a@b.c], user: lab, passwordFile: nowhere';
    const yaml = `${EXPERIMENTS}http: { tokenFile: nowhere }\nalerts: { webhook: { urlFile: nowhere }, smtp: { ${smtp} } }`;
    writeFileSync(path, yaml);
    const options = { path, env: {}, dataTypes: DATA_TYPE_OPTIONS, needsKey: false };
    const { alerts, http } = loadConfig({ ...options, needsSecrets: false });
    expect([alerts.webhook, alerts.smtp, http?.token]).toEqual([undefined, undefined, undefined]);
    expect(() => loadConfig(options)).toThrow('3 mistakes');
  });

  it('are valid as config.example.yaml shows them', () => {
    const shown = /^alerts:\n(?: .*\n)+/m.exec(readFileSync('config.example.yaml', 'utf8'))?.[0] ?? '';
    const used = shown.replace(/^ {2}# (webhook:|smtp:| {2}\w+:)/gm, '  $1');
    const folder = folderWith('smtp.password', 'hunter2hunter2');
    const alerts = load(used, { folder, env: { ALERT_WEBHOOK: ADDRESS } });
    expect(alerts.webhook).toEqual({ url: ADDRESS, format: 'json' });
    expect(alerts.smtp).toMatchObject({ host: 'smtp.example.org', to: ['me@example.org', 'colleague@example.org'] });
  });

  it('report all their errors with their lines, together with those of other settings', () => {
    const text = mistakes(
      [
        'lokback: 1h',
        'alerts:',
        '  after: soon',
        '  diskFree: 2GB',
        '  webhook: { url: "ftp://example.org", fromat: json }',
        '  smtp:',
        '    port: 465',
        '    to: [nobody]',
      ].join('\n'),
    );
    for (const part of [
      'config.yaml:2: unknown key "lokback"',
      'config.yaml:4: alerts.after: must be a duration',
      'config.yaml:5: alerts.diskFree: must be a share of the disk',
      'config.yaml:6: alerts.webhook.url: must start with https://',
      'config.yaml:6: alerts.webhook: unknown key "fromat", did you mean "format"?',
      'alerts.smtp.host: must be the name of a mail server',
      'config.yaml:9: alerts.smtp.to[0]: must be an email address',
    ])
      expect(text).toContain(part);
  });

  it.each([
    ['webhook: {}', 'either url or urlFile'],
    [`webhook: { url: "${ADDRESS}", urlFile: x }`, 'either url or urlFile'],
    ['webhook: { url: "http://example.org/x" }', 'config.yaml:3: alerts.webhook.url: must start with https://'],
    ['webhook: { url: "https://me:pass@example.org/x" }', 'without user and password'],
    ['webhook: { url: "${NOWHERE}" }', 'NOWHERE is not set'],
    ['diskFree: 99%', 'from 0% (no alert) to 90%'],
    ['smtp: { host: h, from: a@b.c, to: [a@b.c], user: lab }', 'alerts.smtp.user: needs passwordFile'],
    ['smtp: { host: h, from: a@b.c, to: [a@b.c], passwordFile: x }', 'alerts.smtp.passwordFile: needs user'],
    ['smtp: { host: h, from: a@b.c, to: [a@b.c], port: 465 }', 'secure: true'],
    ['smtp: { host: h, from: a@b.c, to: [] }', 'alerts.smtp.to: must not be empty'],
    ['smtp: { host: h, from: "a@b.c\\nBcc: x@y.z", to: [a@b.c] }', 'alerts.smtp.from: must be an email address'],
  ])('refuse %s', (alerts, said) => {
    const text = mistakes(`alerts:\n  ${alerts}\n`);
    expect(text).toContain(said);
    expect(text.split('\n').slice(1)).toHaveLength(1);
  });

  it('accept http only for this computer', () => {
    expect(load('alerts: { webhook: { url: "http://127.0.0.1:9000/x" } }').webhook?.url).toBe(
      'http://127.0.0.1:9000/x',
    );
  });

  it('refuse a secret file that all users can read, is missing, is empty or has something else in it', () => {
    const hook = 'logg: {}\nalerts:\n  webhook:\n    urlFile: hook';
    const open = mistakes(hook, { folder: folderWith('hook', ADDRESS, 0o644) });
    expect(open).toContain('config.yaml:5: alerts.webhook.urlFile: everyone can read the file: run chmod 600');
    expect(open).toContain('config.yaml:2: unknown key "logg"');
    expect(mistakes(hook)).toContain('alerts.webhook.urlFile: the file cannot be read');
    expect(mistakes(hook, { folder: folderWith('hook', '\n') })).toContain('the file is empty');
    expect(mistakes(hook, { folder: folderWith('hook', 'http://example.org/sEcReT') })).toContain('https://');
  });

  it.each([
    'webhook: { urlFile: "https://hooks.example.org/sEcReT" }',
    'webhook: { url: "http://hooks.example.org/sEcReT" }',
    'webhook: { url: "sEcReT" }',
    'smtp: { host: h, from: a@b.c, to: [a@b.c], user: u, passwordFile: sEcReT }',
  ])('never show a secret in a wrong place: %s', (alerts) => {
    expect(mistakes(`alerts:\n  ${alerts}\n`)).not.toContain('sEcReT');
  });
});
