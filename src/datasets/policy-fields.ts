import type { Dataset, FieldSpec } from './define.ts';
import { DATASETS } from './registry.ts';

/** A field that a policy names: `participants.email`, `events.response.name`, or `participants.extra.newField`. */
export interface PolicyField {
  /** As it was written. */
  readonly name: string;
  readonly dataset: Dataset;
  /** From the record down. */
  readonly path: readonly [string, ...string[]];
  /** Undefined inside a field, and for one that is not declared. */
  readonly spec: FieldSpec | undefined;
}

/** Undefined where the name says no field that there is or may be: see `namesOfFields`. */
export function policyField(name: string): PolicyField | undefined {
  const [data = '', first = '', ...rest] = name.split('.');
  const dataset = DATASETS.find((one) => one.name === data);
  if (dataset === undefined || [first, ...rest].includes('')) return undefined;
  const [undeclared, ...inside] = rest;
  if (first === 'extra') {
    if (undeclared === undefined || Object.hasOwn(dataset.fields, undeclared)) return undefined;
    return { name, dataset, path: [undeclared, ...inside], spec: undefined };
  }
  const spec = Object.hasOwn(dataset.fields, first) ? dataset.fields[first] : undefined;
  if (spec === undefined || (rest.length > 0 && spec.kind !== 'json' && spec.kind !== 'any')) return undefined;
  return { name, dataset, path: [first, ...rest], spec: rest.length === 0 ? spec : undefined };
}

/** Every field that a policy may name, but for members and what is not declared. */
export function namesOfFields(): string[] {
  return DATASETS.flatMap(({ name, fields }) => Object.keys(fields).map((field) => `${name}.${field}`));
}

/** Parts of an experiment by which records are requested. */
const PARTS = ['experimentId', 'roomId', 'sessionId', 'deploymentId'];
/** By these it is known when there is something new, and whether all of it was read. */
const TELL_WHEN: Readonly<Record<string, readonly string[]>> = {
  experiments: ['roomCount', 'participantCount', 'updatedAt', 'createdAt'],
  rooms: ['status', 'startedAt', 'endedAt', 'participantCount'],
};

/** Why a field has to be stored as it comes, as the end of a sentence that begins with its name; undefined if it need not. */
export function whyNeeded({ dataset, path: [field, ...inside] }: PolicyField): string | undefined {
  if (inside.length > 0) return undefined;
  const { identity, naming = [], timeField, leavesOut = {}, fields, name } = dataset;
  if (fields[field]?.isPerson === true)
    return 'holds ids of participants: rows are found, joined, requested and erased by them, also inside of others’ records, where a pseudonym could not follow. Share a copy in which they are pseudonyms instead';
  if (PARTS.includes(field) || (identity.includes(field) && dataset.idScope === 'experiment'))
    return 'is needed to request records';
  if (identity.includes(field) || naming.includes(field)) return 'identifies the records';
  if (field === timeField) return 'is needed to read the records in their order';
  if (Object.hasOwn(leavesOut, field) || TELL_WHEN[name]?.includes(field) === true)
    return 'is needed to know what there is to read';
  return undefined;
}
