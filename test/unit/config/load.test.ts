import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import { secretsOf } from '../../../src/config/secrets.ts';
import { DATA_TYPE_OPTIONS } from '../../../src/datasets/registry.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { KEY, load, problem } from '../../support/config.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('the configuration', () => {
  it('needs only the experiments', () => {
    const config = load('experiments: [{ all: true }]');
    expect(config).toMatchObject({
      api: {
        baseUrl: 'https://api.hyperstudy.io/api/v3',
        key: KEY,
        limits: { perHour: 1000, perEndpointPerMinute: 100, reserve: 0.1 },
        pageSize: 'auto',
        concurrency: 4,
        timeoutMs: 60_000,
      },
      data: 'all',
      lookbackMs: 3_600_000,
      history: true,
    });
    for (const part of [config, config.api.limits, config.experiments, config.experiments[0], config.options])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('is what config.example.yaml says, as its values are the defaults', () => {
    const example = loadConfig({
      path: 'config.example.yaml',
      env: { HYPERSTUDY_API_KEY: KEY },
      dataTypes: DATA_TYPE_OPTIONS,
      needsKey: true,
    });
    const bare = load('experiments: [{ all: true }]');
    const placeless = (config: Config) => ({
      ...config,
      path: '',
      warehouse: '',
      media: { ...config.media, path: '' },
    });
    expect(placeless(example)).toEqual(placeless(bare));
    const shown = readFileSync('config.example.yaml', 'utf8');
    const { shape } = configSchema(DATA_TYPE_OPTIONS);
    const keys = [...Object.keys(shape), ...Object.keys(shape.api.unwrap().shape)];
    expect(keys.filter((key) => !new RegExp(`\\b${key}:`).test(shown))).toEqual([]);
  });

  it('reports every error at once, with its line and what was probably meant', () => {
    const { code, exitStatus, message } = problem(
      'api:\n  pagesize: 100\n  timeout: soon\nexperiments:\n  - id: exp_1\n    dta: [events]\n  - id: exp_2\n    data: [event]\nlokback: 1h\noptions:\n  chat: { category: x }\n',
    );
    expect([code, exitStatus]).toEqual(['CONFIG_INVALID', 2]);
    for (const part of [
      'config.yaml:2: api: unknown key "pagesize", did you mean "pageSize"?',
      'config.yaml:3: api.timeout: must be a duration',
      'config.yaml:6: experiments[0]: unknown key "dta", did you mean "data"?',
      'config.yaml:8: experiments[1].data',
      'config.yaml:9: unknown key "lokback", did you mean "lookback"?',
      'config.yaml:11: options.chat: unknown key "category"',
    ])
      expect(message).toContain(part);
  });

  it.each([
    ['', 'experiments: must be a list of experiments'],
    ['experiments: []', 'at least one experiment'],
    ['experiments: [{ all: true }]\nexperiments: []', 'unique'],
    ['experiments: [{ all: true }]\nschedule: often', 'cron'],
    ['experiments: [{ all: true }]\nwarehouse: { path: !secret x }', 'tag'],
    ['experiments: [{ all: true }]\napi: { baseUrl: "http://api.example.org" }', 'https://'],
    ['experiments: [{ all: true }]\nwarehouse: { path: "${NOWHERE}/x.db" }', 'NOWHERE is not set'],
    ['experiments: [{ all: true, rooms: [r] }]', 'rooms'],
    ['a: &a [x]\nb: [*a', ''],
    ['experiments: [{ all: true }]\n---\nexperiments: []', 'config.yaml:2: a second document starts'],
    ['experiments: [{ all: true }]\nschedule: 0 24 * * *', 'cron'],
    ['experiments: [{ all: true }]\napi:', 'config.yaml:2: api: must be a mapping with any of: baseUrl'],
    ['experiments: [{ all: true }]\napi: { timeout: 0s }', 'from 1s to 1h'],
    ['experiments: [{ all: true }]\napi: { pageSize: 9 }', 'must be an integer from 10 to 10000'],
    ['experiments: [{ all: true }]\npageSize: 10', 'unknown key "pageSize"; allowed here: api, '],
    [
      'experiments:\n  - id: e\n    data:\n      - chat\n      - evnts',
      'config.yaml:5: experiments[0].data[1]: unknown data type "evnts", did you mean "events"?',
    ],
    ['experiments:\n  - id: e\n  - all: true\n  - id: e', 'config.yaml:4: experiments[2]: e is listed twice'],
    ['experiments: [{ all: true }, { all: true }]', 'experiments[1]: all is listed twice'],
    ['experiments: [{ id: e, rooms: [] }]', 'experiments[0].rooms: must not be empty'],
  ])('refuses %j', (yaml, said) => {
    expect(problem(yaml)).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(problem(yaml).message).toContain(said);
  });

  it('reports errors of the key and the environment together with the others, each once', () => {
    const { message } = problem(
      'api:\n  key: password\n  limits: { reserve: 2 }\nexperiments: [{ all: true }]\nlokback: 1h\nwarehouse: { path: "${NOWHERE}" }\n',
      { HYPERSTUDY_BASE_URL: 'http://example.org' },
      0o600,
    );
    const mistakes = message.split('\n').slice(1);
    expect(mistakes).toHaveLength(5);
    for (const part of [
      'config.yaml:2: api.key: does not look like',
      'config.yaml:3: api.limits.reserve: must be a number from 0 to 0.9',
      'config.yaml:5: unknown key "lokback"',
      'config.yaml:6: warehouse.path: the environment variable NOWHERE is not set',
      'config.yaml: the environment variable HYPERSTUDY_BASE_URL must start with https://',
    ])
      expect(message).toContain(part);
    expect(message).not.toContain('password');
  });

  it('accepts http only for this computer', () => {
    for (const host of ['localhost:1', '127.0.0.1:8787', '[::1]:1']) {
      expect(load(`experiments: [{ all: true }]\napi: { baseUrl: "http://${host}/api/v3/" }`).api.baseUrl).toBe(
        `http://${host}/api/v3`,
      );
    }
  });

  it('lets the environment override the file', () => {
    const env = {
      HYPERSTUDY_API_KEY: KEY,
      HYPERSTUDY_BASE_URL: 'https://dev.hyperstudy.io/api/v3',
      HYPERSTUDY_ORGANIZATION_ID: 'org_env',
    };
    const yaml =
      'experiments: [{ all: true }]\napi: { baseUrl: "https://example.org", organization: org_file, key: "${OTHER}" }';
    expect(load(yaml, { OTHER: KEY }).api.organization).toBe('org_file');
    const config = load(yaml, {
      ...env,
      OTHER: `hst_live_${'z'.repeat(64)}`,
    });
    expect(config.api).toMatchObject({
      key: KEY,
      baseUrl: 'https://dev.hyperstudy.io/api/v3',
      organization: 'org_env',
    });
    expect(
      problem('experiments: [{ all: true }]', { HYPERSTUDY_API_KEY: KEY, HYPERSTUDY_BASE_URL: 'http://example.org' })
        .message,
    ).toContain('HYPERSTUDY_BASE_URL');
    expect(
      problem('experiments: [{ all: true }]', { HYPERSTUDY_API_KEY: KEY, HYPERSTUDY_ORGANIZATION_ID: 'org 1\r\nx: y' })
        .message,
    ).toContain('HYPERSTUDY_ORGANIZATION_ID must be the id of an organization');
  });

  it('accepts a key from a private file, and a plain key only in a private configuration', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'key');
    writeFileSync(file, `${KEY}\n`);
    const yaml = `experiments: [{ all: true }]\napi: { keyFile: ${JSON.stringify(file)} }`;
    chmodSync(file, 0o644);
    expect(problem(yaml, {}).message).toContain('everyone can read');
    chmodSync(file, 0o600);
    expect(load(yaml, {}).api.key).toBe(KEY);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(problem(yaml.replace(file, pipe), {}).message).toContain('is not a file');
    const plain = `experiments: [{ all: true }]\napi: { key: ${KEY} }`;
    expect(problem(plain, {}, 0o644).message).toContain('chmod 600');
    expect(load(plain, {}, 0o600).api.key).toBe(KEY);
  });

  it.each([[`warehouse: { path: &k ${KEY} }\napi: { key: *k }`], [`api: { key: "${KEY}\${EMPTY}" }`]])(
    'finds a plain key behind an alias or a variable (%#)',
    (api) => {
      expect(problem(`experiments: [{ all: true }]\n${api}`, { EMPTY: '' }, 0o644).message).toContain('chmod 600');
    },
  );

  it('treats an empty variable as unset', () => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, KEY, { mode: 0o600 });
    const { api } = load(`experiments: [{ all: true }]\napi: { keyFile: ${file} }`, {
      HYPERSTUDY_API_KEY: '',
      HYPERSTUDY_BASE_URL: '',
    });
    expect(api).toMatchObject({ key: KEY, baseUrl: 'https://api.hyperstudy.io/api/v3' });
    expect(problem('experiments: [{ all: true }]\napi: { key: "${MINE}" }', {}).message).toContain('MINE is not set');
  });

  it.each([
    `api: { keyFile: ${KEY} }`,
    `api: { ${KEY}: x }`,
    `api: { key: !${KEY} x }`,
    `api: { key: *${KEY} }`,
    `data: [${KEY}]`,
    `api: { baseUrl: "https://${KEY}@example.org" }`,
  ])('never shows a key in a wrong place (%#)', (yaml) => {
    const { message } = problem(`experiments: [{ all: true }]\n${yaml}`, {});
    expect(message).not.toContain(KEY.slice(9));
  });

  it('reports a missing or malformed key without showing it', () => {
    expect(problem('experiments: [{ all: true }]', {})).toMatchObject({ code: 'KEY_MISSING', exitStatus: 3 });
    expect(problem('experiments: [{ all: true }]\napi: { key: "${HYPERSTUDY_API_KEY}" }', {})).toMatchObject({
      code: 'KEY_MISSING',
    });
    const secret = 'my-secret-password-123';
    expect(problem('experiments: [{ all: true }]', { HYPERSTUDY_API_KEY: secret }).message).not.toContain(secret);
  });

  it('is valid or has errors for any document, without an exception', () => {
    const keys = fc.constantFrom(
      'api',
      'experiments',
      'data',
      'id',
      'all',
      'options',
      'events',
      'limits',
      'key',
      'log',
      'keyFile',
      KEY,
      'x',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom(KEY, '${HYPERSTUDY_API_KEY}', 'all', '1h', true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const folder = temporaryFolder();
    const path = join(folder, 'config.yaml');
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => stringify(value)),
          fc.string(),
        ),
        (yaml) => {
          writeFileSync(path, yaml);
          try {
            loadConfig({ path, env: { HYPERSTUDY_API_KEY: KEY }, dataTypes: DATA_TYPE_OPTIONS, needsKey: true });
          } catch (error) {
            expect(error).toBeInstanceOf(WarehouseError);
            expect((error as WarehouseError).code).toBe('CONFIG_INVALID');
            expect((error as WarehouseError).message).not.toContain(KEY);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  describe("and systemd's credentials", () => {
    const bare = 'experiments: [{ all: true }]';
    const handed = (key: string, mode = 0o400) => {
      const CREDENTIALS_DIRECTORY = join(temporaryFolder(), 'credentials');
      mkdirSync(CREDENTIALS_DIRECTORY);
      writeFileSync(join(CREDENTIALS_DIRECTORY, 'hyperstudy-key'), key);
      chmodSync(join(CREDENTIALS_DIRECTORY, 'hyperstudy-key'), mode);
      return { CREDENTIALS_DIRECTORY };
    };
    const other = `hst_live_${'z'.repeat(64)}`;

    it.each([0o400, 0o440, 0o444])('provide the key with mode %o', (mode) => {
      expect(load(bare, handed(`${KEY}\n`, mode)).api.key).toBe(KEY);
      // What config.example.yaml and `hsw init` write.
      expect(load(`${bare}\napi: { key: "\${HYPERSTUDY_API_KEY}" }`, handed(KEY, mode)).api.key).toBe(KEY);
    });

    it('are overridden by the environment and the configuration', () => {
      const env = handed(other);
      expect(load(bare, { ...env, HYPERSTUDY_API_KEY: KEY }).api.key).toBe(KEY);
      const file = join(temporaryFolder(), 'key');
      writeFileSync(file, KEY, { mode: 0o600 });
      expect(load(`${bare}\napi: { keyFile: ${file} }`, env).api.key).toBe(KEY);
      expect(load(`${bare}\napi: { key: "\${MINE}" }`, { ...env, MINE: KEY }).api.key).toBe(KEY);
    });

    it('are no key if they do not have one, and an error if they have something else', () => {
      const env = handed(KEY);
      rmSync(join(env.CREDENTIALS_DIRECTORY, 'hyperstudy-key'));
      expect(problem(bare, env)).toMatchObject({ code: 'KEY_MISSING' });
      expect(problem(bare, { CREDENTIALS_DIRECTORY: '' })).toMatchObject({ code: 'KEY_MISSING' });
      const { code, message } = problem(bare, handed('my-secret-password-123'));
      expect(code).toBe('CONFIG_INVALID');
      expect(message).toContain('the credential hyperstudy-key does not look like a HyperStudy key');
      expect(message).not.toContain('my-secret');
    });
  });

  it('names the places where it looked if there is no file', () => {
    const options = { env: {}, dataTypes: DATA_TYPE_OPTIONS, needsKey: false };
    expect(() => loadConfig({ ...options, path: '/nowhere/config.yaml' })).toThrow('/nowhere/config.yaml');
  });
});

describe('the privacy policy', () => {
  const written = (privacy: string) => `experiments: [{ all: true }]\nprivacy: ${privacy}\n`;

  it.each([
    [
      '{ drop: [participants.emial] }',
      'privacy.drop[0]: unknown field "participants.emial", did you mean "participants.email"?',
    ],
    ['{ drop: [participant.email] }', 'did you mean "participants.email"?'],
    ['{ drop: [email] }', 'write the data type and the field, such as participants.email'],
    [
      '{ drop: [participants.dateOfBirth] }',
      'one that no data type declares is written participants.extra.dateOfBirth',
    ],
    ['{ drop: [participants.extra.] }', 'unknown field "participants.extra."'],
    ['{ drop: [participants.extra.email] }', 'unknown field "participants.extra.email"'],
    ['{ drop: [participants.role.name] }', 'unknown field "participants.role.name"'],
    ['{ drop: [participants.id] }', 'participants.id holds ids of participants'],
    ['{ pseudonymise: [chat.senderId], key: k }', 'chat.senderId holds ids of participants'],
    ['{ drop: [chat.recipientIds] }', 'holds ids of participants'],
    ['{ drop: [variables.source] }', 'holds ids of participants'],
    ['{ drop: [events.roomId] }', 'events.roomId is needed to request records'],
    ['{ drop: [rooms.id] }', 'rooms.id is needed to request records'],
    ['{ drop: [chat.messageId] }', 'chat.messageId identifies the records'],
    ['{ drop: [components.componentId] }', 'components.componentId identifies the records'],
    ['{ drop: [chat.timestamp] }', 'chat.timestamp is needed to read the records in their order'],
    ['{ drop: [experiments.roomCount] }', 'is needed to know what there is to read'],
    ['{ pseudonymise: [chat.onset], key: k }', 'chat.onset is not text, so it cannot have a pseudonym: drop it'],
    ['{ pseudonymise: [participants.diagnostics], key: k }', 'drop it, or name a member of it'],
    ['{ pseudonymise: [chat.senderName] }', 'privacy.pseudonymise: needs privacy.key'],
    ['{ drop: [chat.senderName], pseudonymise: [chat.senderName], key: k }', 'chat.senderName is also under drop'],
    ['{ drop: participants.email }', 'must be a list of fields'],
    ['{ dorp: [] }', 'unknown key "dorp"; allowed here: drop, pseudonymise, key'],
    ['{ pseudonymise: [chat.senderName], key: ./nowhere }', 'privacy.key: there is no file'],
  ])('%s is refused with words', (privacy, expected) => {
    const { code, message } = problem(written(privacy));
    expect([code, message]).toEqual(['CONFIG_INVALID', expect.stringContaining(expected)]);
  });

  it('reads the key from a file that only its owner can read, and shows it to no one', () => {
    const file = join(temporaryFolder(), 'privacy.key');
    const config = () => load(written(`{ pseudonymise: [chat.senderName], key: ${file} }`));
    writeFileSync(file, `${'k'.repeat(43)}\n`, { mode: 0o600 });
    expect(config().privacy).toMatchObject({ key: 'k'.repeat(43), keyFile: file });
    expect(secretsOf(config())).toContain('k'.repeat(43));
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(file, mode);
      expect(config).toThrow(/privacy\.key: .*chmod 600/);
    }
    chmodSync(file, 0o600);
    for (const text of ['', 'short', `${'k'.repeat(43)} two`, 'é'.repeat(50)]) {
      writeFileSync(file, text);
      expect(config).toThrow(/privacy\.key: .*does not hold a key/);
    }
    rmSync(file);
    mkdirSync(file);
    expect(config).toThrow(/privacy\.key: /);
  });
});
