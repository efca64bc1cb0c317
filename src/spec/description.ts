import { parseDocument } from 'yaml';
import { isObject, type Json, type JsonObject } from '../shared/json.ts';

/** What an API says of itself (OpenAPI 3): its endpoints for reading. */
export interface Description {
  readonly version: string;
  readonly endpoints: readonly Endpoint[];
  /** References to other documents, which are not followed. */
  readonly foreign: number;
}

export interface Endpoint {
  /** As it is described, such as `/data/events/room/{roomId}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** The fields of its records with their JSON types; empty where the description does not say them. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

export interface Parameter {
  readonly name: string;
  readonly isInPath: boolean;
  readonly maximum: number | undefined;
  /** The only values that it takes, where they are listed. */
  readonly values: readonly string[];
}

/** Reads a description, or says in a clause why that is none. */
export function readDescription(text: string): Description | { readonly problem: string } {
  const parsed = parse(text);
  if ('problem' in parsed) return parsed;
  const { root } = parsed;
  if (!isObject(root))
    return { problem: 'it is not a description of an API, as it is neither a YAML mapping nor a JSON object' };
  if (root['swagger'] !== undefined) return { problem: 'it is OpenAPI 2 (Swagger); only OpenAPI 3 is compared' };
  const version = root['openapi'];
  if (typeof version !== 'string' || !version.startsWith('3.'))
    return { problem: 'it is not a description of an API: the member openapi does not begin with 3' };
  const paths = root['paths'];
  if (!isObject(paths)) return { problem: 'it does not describe any endpoints: the member paths is missing' };
  const references = openReferences(root);
  const endpoints = Object.entries<Json>(paths).flatMap(([path, item]) => endpointOf(references, path, item));
  return { version, endpoints, foreign: references.foreign.size };
}

function parse(text: string): { root: Json } | { problem: string } {
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return { problem: 'it is a web page' };
  try {
    if (text.trimStart().startsWith('{')) return { root: JSON.parse(text) as Json };
    const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) return { problem: `it is not YAML that can be read (${firstLine(error.message)})` };
    // Many references to one long list would make billions of it.
    return { root: document.toJS({ maxAliasCount: 100 }) as Json };
  } catch (error) {
    return { problem: `it cannot be read (${firstLine(error instanceof Error ? error.message : String(error))})` };
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 120) ?? '';
}

interface References {
  readonly root: JsonObject;
  readonly foreign: Set<string>;
  /** What a value refers to in the end; undefined where that is nothing, elsewhere, or goes round in a circle. */
  resolve(value: Json | undefined): JsonObject | undefined;
}

function openReferences(root: JsonObject): References {
  const foreign = new Set<string>();
  const resolve = (value: Json | undefined, met: ReadonlySet<string> = new Set()): JsonObject | undefined => {
    if (value === undefined || !isObject(value)) return undefined;
    const to = value['$ref'];
    if (typeof to !== 'string') return value;
    if (!to.startsWith('#')) foreign.add(to);
    if (!to.startsWith('#/') || met.has(to)) return undefined;
    return resolve(target(root, to), new Set([...met, to]));
  };
  return { root, foreign, resolve };
}

/** What a JSON pointer such as `#/components/schemas/Event` leads to. */
function target(root: JsonObject, to: string): Json | undefined {
  return to
    .slice(2)
    .split('/')
    .map((step) => unescape(step))
    .reduce<Json | undefined>((at, step) => {
      if (Array.isArray(at)) return at[Number(step)];
      return at !== undefined && isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
    }, root);
}

function unescape(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}

function endpointOf(references: References, path: string, item: Json): Endpoint[] {
  const found = references.resolve(item);
  const get = references.resolve(found?.['get']);
  if (found === undefined || get === undefined) return [];
  const parameters = [...listOf(found['parameters']), ...listOf(get['parameters'])].flatMap((parameter) =>
    parameterOf(references, parameter),
  );
  return [{ path, parameters, fields: fieldsOf(references, get) }];
}

function parameterOf(references: References, value: Json): Parameter[] {
  const parameter = references.resolve(value);
  const name = parameter?.['name'];
  if (parameter === undefined || typeof name !== 'string') return [];
  const place = parameter['in'];
  if (place !== 'query' && place !== 'path') return [];
  const schema = references.resolve(parameter['schema']);
  const maximum = schema?.['maximum'];
  const values = listOf(schema?.['enum']).filter((one) => typeof one === 'string');
  return [{ name, isInPath: place === 'path', maximum: typeof maximum === 'number' ? maximum : undefined, values }];
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The fields of the records in a successful answer: of `data`, or of what it lists. */
function fieldsOf(references: References, get: JsonObject): Map<string, string[]> {
  const responses = references.resolve(get['responses']);
  const answer = references.resolve(responses?.['200'] ?? responses?.['2XX'] ?? responses?.['default']);
  const content = references.resolve(answer?.['content']);
  const media = references.resolve(content?.['application/json']);
  const data = propertiesOf(references, media?.['schema']).get('data') ?? [];
  const listed = data
    .flatMap((schema) => parts(references, schema))
    .flatMap(({ items }) => (items === undefined ? [] : [items]));
  const records = listed.length > 0 ? listed : data;
  const fields = new Map<string, string[]>();
  for (const [name, schemas] of records.flatMap((schema) => [...propertiesOf(references, schema)]))
    fields.set(name, [
      ...new Set([...(fields.get(name) ?? []), ...schemas.flatMap((one) => typesOf(references, one))]),
    ]);
  return fields;
}

/** A schema and all that it is put together of, each once, so that circles end. */
function parts(references: References, schema: Json | undefined, met = new Set<JsonObject>()): JsonObject[] {
  const found = references.resolve(schema);
  if (found === undefined || met.has(found)) return [];
  met.add(found);
  const others = ['allOf', 'oneOf', 'anyOf'].flatMap((name) => listOf(found[name]));
  return [found, ...others.flatMap((one) => parts(references, one, met))];
}

function propertiesOf(references: References, schema: Json | undefined): Map<string, Json[]> {
  const properties = new Map<string, Json[]>();
  for (const part of parts(references, schema)) {
    const own = part['properties'];
    for (const [name, one] of own !== undefined && isObject(own) ? Object.entries<Json>(own) : [])
      properties.set(name, [...(properties.get(name) ?? []), one]);
  }
  return properties;
}

function typesOf(references: References, schema: Json): string[] {
  const types = parts(references, schema).flatMap((part) => {
    const said = part['type'];
    const named = (Array.isArray(said) ? said : [said]).filter((type) => typeof type === 'string');
    return named.length === 0 && part['properties'] !== undefined ? ['object'] : named;
  });
  return [...new Set(types)].filter((type) => type !== 'null');
}
