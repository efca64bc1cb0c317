import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SimReply } from '../../src/simulator/reply.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';
import { openBench } from '../support/derived.ts';
import { temporaryFolder } from '../support/lab.ts';

/** A configuration for a simulator whose description is as given, or its own. */
async function lab(description?: SimReply) {
  const simulator = await startSimulator({
    world: { experiments: 1, roomsPerExperiment: 1 },
    fault: ({ path }) =>
      path === '/openapi.yaml' && description !== undefined ? { kind: 'reply', reply: description } : undefined,
  });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    `api: { baseUrl: "${simulator.url}" }\nhttp: false\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`,
  );
  const doctor = (...flags: string[]) => hsw(['doctor', ...flags], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  const asked = () => simulator.requests.filter(({ path }) => path === '/openapi.yaml');
  return { cwd, doctor, asked };
}

const reply = (body: string, status = 200): SimReply => ({ status, headers: {}, body });

describe('hsw doctor', () => {
  it('names fields whose meaning for a person’s privacy is unknown, without calling that a fault', async () => {
    const { cwd, doctor } = await lab();
    const before = await doctor();
    const bench = openBench(join(cwd, 'w.db'));
    bench.write('participants', { id: 'ana', roomId: 'r', dateOfBirth: '2001-02-03', 'shoe\u001b[31msize': 39 });
    bench.warehouse.close();
    const after = await doctor();
    expect([before.stdout.includes('unknown fields'), after.status]).toEqual([false, before.status]);
    expect(after.stdout).toMatch(
      /^· unknown fields: HyperStudy sends 2 fields that .* personal data: participants\.dateOfBirth, participants\.shoe\S*size$/m,
    );
    expect(after.stdout).not.toContain('\u001b[31m');
    const { undeclared } = JSON.parse((await doctor('--json')).stdout) as { undeclared: unknown };
    expect(undeclared).toEqual(['participants.dateOfBirth', expect.stringContaining('shoe')]);
  });
});

describe('hsw doctor --spec', () => {
  it('compares the description of the API, requested once a day and without the key', async () => {
    const { cwd, doctor, asked } = await lab();
    const plain = await doctor();
    expect([asked(), plain.stdout.includes('description')]).toEqual([[], false]);
    const first = await doctor('--spec');
    expect(first.status).toBe(plain.status);
    expect(first.stdout).toMatch(
      /· description: http:\S+\/openapi\.yaml of .* describes \d+ endpoints; \d+ differences/,
    );
    expect(first.stdout).toContain(
      '  src/datasets/videochat.ts: the field session (object) is described: add it to fields',
    );
    const { description } = JSON.parse((await doctor('--spec', '--json')).stdout) as {
      description: { findings: unknown[] };
    };
    expect(description.findings).toContainEqual(expect.objectContaining({ kind: 'field', data: 'videochat' }));
    expect(asked()).toMatchObject([{ key: undefined, status: 200 }]);
    expect(statSync(join(cwd, 'w.db.openapi.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(cwd, 'w.db.openapi.json'), 'utf8')).not.toContain('hst_');
    expect(existsSync(join(cwd, 'w.db'))).toBe(false);
  });

  it.each([
    ['there is none', reply('{}', 404), 'the server has none (404)'],
    ['it is a web page', reply('<html>sign in</html>'), 'it is a web page'],
    ['it is no YAML', reply('a: [1'), 'it is not YAML that can be read'],
    ['it is OpenAPI 2', reply('swagger: "2.0"'), 'OpenAPI 2'],
    ['it has 50 MB', reply('a'.repeat(50_000_000)), 'it is larger than 1 MB'],
    ['the server fails', reply('', 503), 'the server answers 503'],
    ['it is elsewhere', reply('', 302), 'the server answers 302'],
  ])('goes on where %s', async (_what, answer, text) => {
    const { doctor, asked } = await lab(answer);
    const { status, stdout } = await doctor('--spec');
    expect(status).toBe((await doctor()).status);
    expect(stdout).toContain('✓ network');
    expect(stdout).toMatch(/^· description: .* is not compared: /m);
    expect(stdout).toContain(text);
    await doctor('--spec');
    expect(asked()).toHaveLength(1);
  });
});
