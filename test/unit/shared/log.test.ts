import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const LOG = join(import.meta.dirname, '..', '..', '..', 'src', 'shared', 'log.ts');

/** What a real process writes to stderr that logs a secret in every place where one may stand. */
function written(pretty: boolean, early: string, late: string): string {
  const script = `
    import { createLog } from ${JSON.stringify(LOG)};
    const [early, late] = ${JSON.stringify([early, late])};
    const secrets = new Set([early, early.slice(0, 9)]);
    const log = createLog({ level: 'trace', pretty: ${pretty}, secrets });
    secrets.add(late);
    for (const secret of [early, late]) {
      log.info({ field: secret, nested: { list: [secret] } }, 'a message with ' + secret);
      log.error({ err: new Error('failed with ' + secret, { cause: new Error(secret) }), [secret]: 1 }, 'an error');
    }
    log.info('end');`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stderr).toContain('end');
  return ran.stderr;
}

it.each([false, true])(
  'the log hides secrets, whatever they hold and whenever they became known (pretty: %s)',
  (pretty) => {
    const [early, late] = ['pass"word\\with ümlaut', 'https://hooks.example.org/a?b=c'];
    const text = written(pretty, early, late);
    for (const secret of [early, late]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
    expect(text).not.toContain('ümlaut');
    expect(text).toContain('a message with [hidden]');
  },
);
