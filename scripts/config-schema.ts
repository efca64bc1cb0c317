import { z } from 'zod';
import { configSchema, experimentForms } from '../src/config/schema.ts';
import { DATA_TYPE_OPTIONS } from '../src/datasets/registry.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON schema of config.yaml, as editors take it. */
export function configJsonSchema(): JsonSchema {
  const schema = configSchema(DATA_TYPE_OPTIONS);
  const { named, all } = experimentForms(z.string().min(1), schema.shape.data.unwrap(), schema.shape.schedule.unwrap());
  const { properties = {} } = jsonSchema(schema);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of HyperStudy Warehouse',
    type: 'object',
    properties: {
      ...properties,
      // The program chooses the form of an entry itself, so that zod does not know of it.
      experiments: { ...schemaOf(properties['experiments']), items: { anyOf: [jsonSchema(named), jsonSchema(all)] } },
    },
    required: ['experiments'],
    additionalProperties: false,
  };
}

function jsonSchema(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(made).filter(([key]) => key !== '$schema'));
}

/** JSON schema also knows `true`, `false` and tuples, which none of ours is. */
export function schemaOf(schema: JsonSchema['items']): JsonSchema {
  if (typeof schema === 'object' && !Array.isArray(schema)) return schema;
  throw new Error('a setting has no schema');
}
