import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';

const schema = z.fromJSONSchema(
  z.record(z.string(), z.json()).parse(JSON.parse(readFileSync('config.schema.json', 'utf8'))),
);
const accepts = (yaml: string) => schema.safeParse(parse(yaml)).success;

describe('config.schema.json, for editors', () => {
  it('accepts config.example.yaml', () => {
    expect(accepts(readFileSync('config.example.yaml', 'utf8'))).toBe(true);
  });

  it('accepts what only some configurations hold', () => {
    const yaml = `
api: { keyFile: key, keyExpires: never, pageSize: 500, timeout: 2m }
http: false
experiments: [{ id: exp_1, rooms: [room_1], participants: [{ id: user_1, room: room_1 }], schedule: '*/5 * * * *' }]
options: { events: { category: [component] }, sync: { aggregationWindow: 1000 } }
alerts: { diskFree: 10%, smtp: { host: mail.example.org, from: me@example.org, to: [me@example.org] } }
`;
    expect(accepts(yaml)).toBe(true);
  });

  it.each([
    ['a key that there is not', 'experiments: [{ all: true }]\nlokback: 1h'],
    ['a data type that there is not', 'experiments: [{ id: exp_1, data: [event] }]'],
    ['a file without experiments', 'lookback: 1h'],
    ['rooms of all experiments', 'experiments: [{ all: true, rooms: [room_1] }]'],
  ])('refuses %s', (_what, yaml) => {
    expect(accepts(yaml)).toBe(false);
  });
});
