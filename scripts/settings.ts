import { schemaOf, type JsonSchema } from './config-schema.ts';

interface Setting {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** The settings as Markdown: those that are alone in their part, then a heading for each part of the file. */
export function settingsText(schema: JsonSchema): string {
  const parts = namedSchemas(schema).map(([name, part]) => ({ name, entries: settings(name, part).map(entry) }));
  const single = parts.filter(({ entries }) => entries.length === 1).flatMap(({ entries }) => entries);
  const groups = parts.filter(({ entries }) => entries.length > 1);
  return [
    `### General\n\n${single.join('\n')}`,
    ...groups.map(({ name, entries }) => `### \`${name}\`\n\n${entries.join('\n')}`),
  ].join('\n\n');
}

/** The settings that a part of the file holds, each once. */
function settings(path: string, schema: JsonSchema): Setting[] {
  const forms = [schema, ...alternatives(schema)];
  const inside = forms.flatMap((form) =>
    namedSchemas(form).flatMap(([name, value]) => settings(`${path}.${name}`, value)),
  );
  const items = alternatives(schemaOf(schema.items ?? {}));
  const inItems = items.flatMap((form) =>
    namedSchemas(form).flatMap(([name, value]) => settings(`${path}[].${name}`, value)),
  );
  const isGroup = schema.description === undefined && forms.some(({ properties }) => properties !== undefined);
  const found = [...(isGroup ? [] : [{ path, schema }]), ...inside, ...inItems];
  return found.filter((setting, i) => found.findIndex((other) => other.path === setting.path) === i);
}

function entry({ path, schema }: Setting): string {
  const fallback =
    schema.default === undefined || typeof schema.default === 'object' ? [] : [`default ${code(schema.default)}`];
  const kind = [kindOf(schema), ...fallback].filter((part) => part !== '').join(', ');
  return `- **\`${path}\`**${kind === '' ? '' : ` (${kind})`}${schema.description === undefined ? '' : `: ${schema.description}`}`;
}

function namedSchemas({ properties = {} }: JsonSchema): [string, JsonSchema][] {
  return Object.entries(properties).map(([name, value]) => [name, schemaOf(value)]);
}

function alternatives({ anyOf = [] }: JsonSchema): JsonSchema[] {
  return anyOf.map(schemaOf);
}

/** What a setting takes, in words. */
function kindOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.length > 8 ? 'data type' : schema.enum.map(code).join(', ');
  if (schema.anyOf !== undefined) return alternatives(schema).map(kindOf).join(' or ');
  const { minimum, maximum } = schema;
  const range = maximum === undefined || minimum === undefined ? '' : ` from ${minimum} to ${maximum}`;
  switch (schema.type) {
    case 'integer':
      return `whole number${range}`;
    case 'number':
      return `number${range}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return listText(schemaOf(schema.items));
    case 'string':
      return 'text';
    default:
      return 'settings';
  }
}

function listText(items: JsonSchema): string {
  const names = namedSchemas(items).map(([name]) => code(name));
  const each = names.length > 0 ? `entries of ${names.join(' and ')}` : `${kindOf(items)}s`;
  return items.anyOf === undefined ? `list of ${each}` : 'list';
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
