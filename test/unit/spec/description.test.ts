import { describe, expect, it } from 'vitest';
import { readDescription, type Description } from '../../../src/spec/description.ts';

function read(text: string): Description {
  const found = readDescription(text);
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

const problemOf = (text: string) => {
  const found = readDescription(text);
  return 'problem' in found ? found.problem : undefined;
};

const DESCRIPTION = `
openapi: 3.1.0
paths:
  /data/events/experiment/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
    get:
      parameters:
        - $ref: '#/components/parameters/limit'
        - { name: X-Organization-Id, in: header, schema: { type: string } }
        - { name: category, in: query, schema: { enum: [component, state] } }
      responses:
        '200':
          content:
            application/json:
              schema:
                allOf:
                  - $ref: '#/components/schemas/Envelope'
                  - properties:
                      data: { type: array, items: { $ref: '#/components/schemas/Event' } }
    post: { responses: {} }
  /only/posted: { post: { responses: {} } }
components:
  parameters:
    limit: { name: limit, in: query, schema: { type: integer, maximum: 500 } }
  schemas:
    Envelope: { type: object, properties: { status: { type: string } } }
    Event:
      allOf:
        - { properties: { id: { type: string }, onset: { type: [number, 'null'] } } }
        - { $ref: '#/components/schemas/Event' }
        - { oneOf: [{ properties: { value: { $ref: '#/components/schemas/a~1b%20c' } } }, { properties: { value: { type: string } } }] }
        - { $ref: 'other.yaml#/Event' }
    a/b c: { properties: { n: {} } }
`;

describe('a description', () => {
  it('is read with its references, whatever circles they go in', () => {
    const { version, endpoints, foreign } = read(DESCRIPTION);
    expect([version, endpoints.length, foreign]).toEqual(['3.1.0', 1, 1]);
    expect(endpoints[0]).toEqual({
      path: '/data/events/experiment/{id}',
      parameters: [
        { name: 'id', isInPath: true, maximum: undefined, values: [] },
        { name: 'limit', isInPath: false, maximum: 500, values: [] },
        { name: 'category', isInPath: false, maximum: undefined, values: ['component', 'state'] },
      ],
      fields: new Map([
        ['id', ['string']],
        ['onset', ['number']],
        ['value', ['object', 'string']],
      ]),
    });
  });

  it('is read as JSON as well', () => {
    expect(read('{"openapi":"3.0.3","paths":{"/x":{"get":{}}}}').endpoints).toMatchObject([{ path: '/x' }]);
  });

  it('may refer to itself without end', () => {
    const circle = 'openapi: 3.0.0\npaths: { /x: { $ref: "#/paths/~1y" }, /y: { $ref: "#/paths/~1x" } }';
    expect(read(circle).endpoints).toEqual([]);
  });

  it.each([
    ['a web page', '<!DOCTYPE html><html></html>', 'it is a web page'],
    ['nothing', '', 'neither a YAML mapping nor a JSON object'],
    ['a text', 'hello', 'neither a YAML mapping nor a JSON object'],
    ['no YAML', 'a: [1, 2', 'it is not YAML that can be read'],
    ['a key twice', 'openapi: 3.0.0\nopenapi: 3.0.1\npaths: {}', 'it is not YAML that can be read'],
    ['OpenAPI 2', 'swagger: "2.0"\npaths: {}', 'OpenAPI 2'],
    ['an error', '{"status":"error","error":{"code":"NOT_FOUND"}}', 'does not begin with 3'],
    ['cut JSON', '{"openapi":"3.0', 'it cannot be read'],
    ['no paths', 'openapi: 3.1.0', 'paths is missing'],
    ['a member that prototypes have', 'openapi: 3.1.0\n__proto__: { paths: {} }', 'paths is missing'],
    ['lists in lists without end', '['.repeat(200_000), 'read'],
    [
      'a bomb of aliases',
      `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]\n`).join('')}`,
      'it cannot be read',
    ],
  ])('is none where it is %s, and says so in a clause', (_what, text, problem) => {
    expect(problemOf(text)).toContain(problem);
    expect(problemOf(text)).not.toContain('\n');
  });
});
